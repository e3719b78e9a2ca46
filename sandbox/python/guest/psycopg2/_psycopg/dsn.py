"""Connection strings: "key=value" text and postgresql:// URLs, and what libpq adds from environment and files.

parse() serves psycopg2.extensions.parse_dsn and connect(); complete() gives a session all that it needs.
Source: PostgreSQL manual, libpq-connect.html.
"""

import os
import re

_HIDDEN = ('password', 'sslpassword')

# Each option in libpq's own order: environment variable, default.  None means that it is not shown unless given.
OPTIONS = {
    'service': ('PGSERVICE', None), 'user': ('PGUSER', None), 'password': ('PGPASSWORD', None),
    'passfile': ('PGPASSFILE', None), 'channel_binding': ('PGCHANNELBINDING', 'prefer'),
    'connect_timeout': ('PGCONNECT_TIMEOUT', None), 'dbname': ('PGDATABASE', None), 'host': ('PGHOST', None),
    'hostaddr': ('PGHOSTADDR', None), 'port': ('PGPORT', '5432'), 'client_encoding': ('PGCLIENTENCODING', None),
    'options': ('PGOPTIONS', ''), 'application_name': ('PGAPPNAME', None), 'fallback_application_name': (None, None),
    'keepalives': (None, None), 'keepalives_idle': (None, None), 'keepalives_interval': (None, None),
    'keepalives_count': (None, None), 'tcp_user_timeout': (None, None), 'sslmode': ('PGSSLMODE', 'prefer'),
    'sslnegotiation': ('PGSSLNEGOTIATION', 'postgres'), 'sslcompression': ('PGSSLCOMPRESSION', '0'),
    'sslcert': ('PGSSLCERT', None), 'sslkey': ('PGSSLKEY', None), 'sslcertmode': ('PGSSLCERTMODE', 'allow'),
    'sslpassword': (None, None), 'sslrootcert': ('PGSSLROOTCERT', None), 'sslcrl': ('PGSSLCRL', None),
    'sslcrldir': ('PGSSLCRLDIR', None), 'sslsni': ('PGSSLSNI', '1'), 'requirepeer': ('PGREQUIREPEER', None),
    'require_auth': ('PGREQUIREAUTH', None),
    'ssl_min_protocol_version': ('PGSSLMINPROTOCOLVERSION', 'TLSv1.2'),
    'ssl_max_protocol_version': ('PGSSLMAXPROTOCOLVERSION', None), 'gssencmode': ('PGGSSENCMODE', 'prefer'),
    'krbsrvname': ('PGKRBSRVNAME', 'postgres'), 'gsslib': ('PGGSSLIB', None),
    'gssdelegation': ('PGGSSDELEGATION', '0'), 'replication': (None, None),
    'target_session_attrs': ('PGTARGETSESSIONATTRS', 'any'),
    'load_balance_hosts': ('PGLOADBALANCEHOSTS', 'disable'),
}
_URL_SCHEMES = ('postgresql://', 'postgres://')
_SPACE = re.compile(r'\s*')
_BLANK = re.compile(r'\s')
_NAME = re.compile(r'([^=\s]*)\s*(=?)\s*')
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'\s*", re.DOTALL)
_BARE = re.compile(r'((?:[^\s\\]|\\.?)*)\s*', re.DOTALL)
_ESCAPED = re.compile(r'\\(.?)', re.DOTALL)
_NEEDS_ESCAPE = re.compile(r"([\\'])")


class BadDsn(Exception):
    """A connection string that can't be read; the text is libpq's."""


def parse(text):
    """{option: value} of what the text itself says. Raises BadDsn."""
    for scheme in _URL_SCHEMES:
        if text.startswith(scheme):
            found = _parse_url(text, text[len(scheme):])
            break
    else:
        found = _parse_pairs(text)
    return {name: found[name] for name in OPTIONS if name in found}


def _parse_pairs(text):
    found, at = {}, _SPACE.match(text).end()
    while at < len(text):
        head = _NAME.match(text, at)
        name, equals = head.groups()
        if not equals:
            raise BadDsn(f'missing "=" after "{name}" in connection info string\n')
        value = (_QUOTED if text[head.end():head.end() + 1] == "'" else _BARE).match(text, head.end())
        if value is None:
            raise BadDsn('unterminated quoted string in connection info string\n')
        if name not in OPTIONS:
            raise BadDsn(f'invalid connection option "{name}"\n')
        found[name] = _ESCAPED.sub(r'\1', value[1]) if '\\' in value[1] else value[1]
        at = value.end()
    return found


def join(options):
    """The "key=value" text for options, as psycopg2.extensions.make_dsn writes it."""
    parts = []
    for name, value in options.items():
        text = _NEEDS_ESCAPE.sub(r'\\\1', value)
        parts.append(f"{name}='{text}'" if not text or _BLANK.search(text) else f'{name}={text}')
    return ' '.join(parts)


def _decode(text):
    """Percent-decoding that refuses what libpq refuses."""
    if '%' not in text:
        return text
    first, *rest = text.encode('utf-8', 'surrogateescape').split(b'%')
    out = [first]
    for part in rest:
        try:
            byte = bytes.fromhex(part[:2].decode('ascii'))
        except ValueError:
            byte = b''
        if len(byte) != 1:
            raise BadDsn(f'invalid percent-encoded token: "{text}"\n')
        if byte == b'\0':
            raise BadDsn(f'forbidden value %00 in percent-encoded value: "{text}"\n')
        out += [byte, part[2:]]
    return b''.join(out).decode('utf-8', 'surrogateescape')


def _parse_url(url, rest):
    found = {}
    rest, mark, query = rest.partition('?')
    authority, slash, database = rest.partition('/')
    if '@' in authority:
        login, _, authority = authority.partition('@')
        user, colon, password = login.partition(':')
        _put(found, 'user', user)
        _put(found, 'password', password)
    hosts, ports = [], []
    for part in authority.split(','):
        host, port = _host_port(url, part)
        hosts.append(_decode(host))
        ports.append(_decode(port))
    if any(hosts):
        found['host'] = ','.join(hosts)
    if any(ports):
        found['port'] = ','.join(ports)
    _put(found, 'dbname', database)
    for pair in query.split('&') if query else ():
        _url_parameter(found, pair)
    return found


def _put(found, name, value):
    if value:
        found[name] = _decode(value)


def _host_port(url, part):
    if not part.startswith('['):
        host, _, port = part.partition(':')
        return host, port
    close = part.find(']')
    if close < 0:
        raise BadDsn(f'end of string reached when looking for matching "]" in IPv6 host address in URI: "{url}"\n')
    if close == 1:
        raise BadDsn(f'IPv6 host address may not be empty in URI: "{url}"\n')
    if part[close + 1:close + 2] not in ('', ':'):
        raise BadDsn(f'unexpected character "{part[close + 1]}" at position {url.index(part) + close + 2} in URI'
                     f' (expected ":" or "/"): "{url}"\n')
    return part[1:close], part[close + 2:]


def _url_parameter(found, pair):
    name, equals, value = pair.partition('=')
    if not equals:
        raise BadDsn(f'missing key/value separator "=" in URI query parameter: "{name}"\n')
    if '=' in value:
        raise BadDsn(f'extra key/value separator "=" in URI query parameter: "{name}"\n')
    name, value = _decode(name), _decode(value)
    if (name, value) == ('ssl', 'true'):
        name, value = 'sslmode', 'require'
    if name not in OPTIONS:
        raise BadDsn(f'invalid URI query parameter: "{name}"\n')
    found[name] = value


def complete(given):
    """All effective options: given, then the service file, the environment and the defaults. Raises BadDsn."""
    found = {name: value for name, value in given.items() if value != ''}
    environment = {name: value for name, value in os.environ.items() if name[:2] == 'PG'}
    service = found.get('service') or environment.get('PGSERVICE')
    if service:
        for name, value in _service(service).items():
            found.setdefault(name, value)
    for name, (variable, default) in OPTIONS.items():
        if name not in found:
            value = environment.get(variable, default)
            if value is not None:
                found[name] = value
    if 'user' not in found:
        found['user'] = _system_user()
    found.setdefault('dbname', found['user'])
    found.setdefault('passfile', os.path.join(_home(), '.pgpass'))
    return {name: found[name] for name in OPTIONS if name in found}


def shown(options):
    """The options as get_dsn_parameters() shows them: without passwords."""
    return {name: value for name, value in options.items() if name not in _HIDDEN}


def _home():
    return os.environ.get('HOME') or '/'


def _system_user():
    for variable in ('USER', 'LOGNAME'):
        if os.environ.get(variable):
            return os.environ[variable]
    try:
        import pwd
        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError, AttributeError):
        return 'postgres'  # the only login that a sandbox has


def _service(name):
    """The section of the service files (libpq-pgservice.html) with that name."""
    path = os.environ.get('PGSERVICEFILE') or os.path.join(_home(), '.pg_service.conf')
    files = [path]
    if os.environ.get('PGSYSCONFDIR'):
        files.append(os.path.join(os.environ['PGSYSCONFDIR'], 'pg_service.conf'))
    for path in files:
        try:
            with open(path, encoding='utf-8') as lines:
                found = _section(lines, name, path)
        except OSError:
            continue
        if found is not None:
            return found
    raise BadDsn(f'definition of service "{name}" not found\n')


def _section(lines, name, path):
    found = None
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        if line.startswith('['):
            if found is not None:
                break
            found = {} if line == f'[{name}]' else None
        elif found is not None:
            key, equals, value = line.partition('=')
            if not equals or key not in OPTIONS or key == 'service':
                raise BadDsn(f'syntax error in service file "{path}", line {number}\n')
            found[key] = value
    return found


def password_from_file(options, host, port):
    """The password in ~/.pgpass for this host, or None (libpq-pgpass.html)."""
    wanted = (host, port, options['dbname'], options['user'])
    try:
        with open(options['passfile'], encoding='utf-8') as lines:
            for line in lines:
                parts = _split_escaped(line.rstrip('\r\n'))
                if len(parts) >= 5 and not line.startswith('#') and all(
                        a in ('*', b) for a, b in zip(parts, wanted)):
                    return parts[4]
    except OSError:
        pass
    return None


def _split_escaped(line):
    parts, part, chars = [], [], iter(line)
    for char in chars:
        if char == '\\':
            part.append(next(chars, ''))
        elif char == ':' and len(parts) < 4:
            parts.append(''.join(part))
            part = []
        else:
            part.append(char)
    return parts + [''.join(part)]
