"""Where to connect: hosts, ports and addresses of a connection string, and libpq's words for what goes wrong.

The session walks through targets() until one answers.
"""

import errno
import os
import socket

# What Linux says where the guest's C library says it otherwise.
_WORDS = {errno.ENETUNREACH: 'Network is unreachable', errno.EHOSTUNREACH: 'No route to host'}

DEFAULT_HOST = 'localhost'  # a sandbox has no directory of PostgreSQL sockets


class CannotConnect(Exception):
    """No connection can be made; the text is libpq's, without the name of the host."""


class Refused(CannotConnect):
    """The server itself said no: another address of it would say the same."""


class Target:
    """One address to try."""

    __slots__ = ('family', 'address', 'host', 'port', 'label')

    def __init__(self, family, address, host, port, label):
        self.family, self.address = family, address
        self.host, self.port = host, port
        self.label = label  # 'connection to server at "localhost" (127.0.0.1), port 5432 failed: '

    def refused(self, number):
        """The text for a failed connect(2)."""
        if self.label.startswith('connection to server on'):
            if number == errno.EAFNOSUPPORT:  # no socket of that name, since a sandbox has none at all
                number = errno.ENOENT
            return os.strerror(number) + '\n\tIs the server running locally and accepting connections on that socket?\n'
        return _WORDS.get(number, os.strerror(number)) + '\n\tIs the server running on that host and accepting TCP/IP connections?\n'


_CHOICES = {  # options that libpq checks before it connects
    'sslmode': ('disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'),
    'target_session_attrs': ('any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'),
    'channel_binding': ('disable', 'prefer', 'require'),
    'gssencmode': ('disable', 'prefer', 'require'),
    'load_balance_hosts': ('disable', 'random'),
}


def check(options):
    """Raises CannotConnect for what no server could satisfy."""
    for name, allowed in _CHOICES.items():
        value = options.get(name, allowed[0])
        if value not in allowed:
            raise CannotConnect(f'invalid {name} value: "{value}"\n')
    if options.get('gssencmode') == 'require':
        raise CannotConnect('gssencmode value "require" invalid when GSSAPI support is not compiled in\n')


def whole_number(options, name, default=None):
    text = options.get(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise CannotConnect(f'invalid integer value "{text}" for connection option "{name}"\n') from None


def _pairs(options):
    """(host, hostaddr, port) of each host named, their lists matched as libpq does."""
    hosts = options.get('host', '').split(',')
    addresses = options.get('hostaddr', '').split(',')
    count = max(len(hosts), len(addresses))
    if options.get('hostaddr') and options.get('host') and len(hosts) != len(addresses):
        raise CannotConnect(f'could not match {len(hosts)} host names to {len(addresses)} hostaddr values\n')
    ports = options.get('port', '').split(',')
    if len(ports) not in (1, count):
        raise CannotConnect(f'could not match {len(ports)} port numbers to {count} hosts\n')
    hosts += [''] * (count - len(hosts))
    addresses += [''] * (count - len(addresses))
    ports *= count if len(ports) == 1 else 1
    return [(h, a, p or '5432') for h, a, p in zip(hosts, addresses, ports)]


def targets(options):
    """Yields Target after Target. Raises CannotConnect for a name that can't be resolved, when its turn comes."""
    for host, address, port in _pairs(options):
        number = whole_number({'port': port}, 'port')
        if not 1 <= number <= 65535:
            raise CannotConnect(f'invalid port number: "{port}"\n')
        host = host or (DEFAULT_HOST if not address else '')
        if host.startswith(('/', '@')) and not address:
            path = f'{host}/.s.PGSQL.{number}'
            label = f'connection to server on socket "{path}" failed: '
            path = '\0' + path[1:] if host[0] == '@' else path
            yield Target(getattr(socket, 'AF_UNIX', 1), path, host, port, label)
        else:
            yield from _resolved(host, address, port, number)


def _resolved(host, address, port, number):
    try:
        found = socket.getaddrinfo(address or host, number, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a name that can't be written in the form of the DNS is unknown too
        text = getattr(error, 'strerror', None) or 'Name or service not known'
        if address:
            raise CannotConnect(f'could not parse network address "{address}": {text}\n') from None
        raise CannotConnect(f'could not translate host name "{host}" to address: {text}\n') from None
    for family, _, _, _, where in found:
        if family not in (socket.AF_INET, getattr(socket, 'AF_INET6', -1)):
            continue
        shown = host or where[0]
        if address:
            shown = address
        note = '' if where[0] == shown else f' ({where[0]})'
        yield Target(family, where, host or address, port,
                     f'connection to server at "{shown}"{note}, port {number} failed: ')
