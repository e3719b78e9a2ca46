"""Looking up names, for _socket. There is one host, and it is this one."""

import errno as _errno
import ipaddress

import _real_socket as _real
from _real_socket import AF_INET, AF_INET6, AF_UNSPEC, AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_PASSIVE, IPPROTO_TCP, IPPROTO_UDP
from _real_socket import NI_NAMEREQD, NI_NUMERICHOST, NI_NUMERICSERV, SOCK_DGRAM, SOCK_STREAM, gaierror, herror, inet_aton, inet_ntoa

# The numbers that people know from Linux; the build's C library has others.
EAI_BADFLAGS, EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_NODATA, EAI_FAMILY = -1, -2, -3, -4, -5, -6
EAI_SOCKTYPE, EAI_SERVICE, EAI_ADDRFAMILY, EAI_MEMORY, EAI_SYSTEM = -7, -8, -9, -10, -11
SOCK_RAW = 3

HOSTNAME = "sandbox"
HERE = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
ANY = {AF_INET: "0.0.0.0", AF_INET6: "::"}
NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", HOSTNAME}
SERVICES = {
    "echo": 7, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "ntp": 123,
    "imap2": 143, "imap": 143, "ldap": 389, "https": 443, "imaps": 993, "pop3s": 995, "mysql": 3306,
    "postgresql": 5432, "redis": 6379, "http-alt": 8080, "mongodb": 27017,
}  # fmt: skip
PROTOCOLS = {"ip": 0, "icmp": 1, "tcp": 6, "udp": 17, "ipv6": 41}


class _Found(str):
    """A numeric host that was found for a name. The host is told the name again when a
    connection is made, so that a store can call itself what the learner calls it."""

    __slots__ = ("asked",)


def ascii_name(host):
    if isinstance(host, str):
        return host if host.isascii() else host.encode("idna").decode()
    if isinstance(host, (bytes, bytearray)):
        return host.decode()
    raise TypeError(f"str, bytes or bytearray expected, not {type(host).__name__}")


def numeric_host(host):
    """The family and usual form of a numeric host, or None."""
    if ":" in host:
        try:
            return AF_INET6, str(ipaddress.IPv6Address(host.partition("%")[0]))
        except ValueError:
            return None
    if host[:1].isdigit():
        try:
            return AF_INET, inet_ntoa(inet_aton(host))
        except OSError:
            return None


def lookup(host, family=AF_UNSPEC, flags=0):
    """What host stands for: [(family, numeric host)]."""
    found = numeric_host(host)
    if found:
        if family not in (AF_UNSPEC, found[0]):
            raise gaierror(EAI_ADDRFAMILY, "Address family for hostname not supported")
        return [found]
    name = host.lower().removesuffix(".")
    if flags & AI_NUMERICHOST or not (name in NAMES or name.endswith(".localhost")):
        raise gaierror(EAI_NONAME, "Name or service not known")
    here = []
    for f, numeric in HERE.items():
        if family in (AF_UNSPEC, f):
            numeric = _Found(numeric)
            numeric.asked = host
            here.append((f, numeric))
    return here


def port_number(port, flags=0):
    if port is None:
        return 0
    if isinstance(port, int):
        return port & 0xFFFF
    if isinstance(port, (bytes, bytearray)):
        port = port.decode()
    if not isinstance(port, str):
        raise OSError("Int or String expected")
    if port.isascii() and port.isdigit():
        return int(port) & 0xFFFF
    if flags & AI_NUMERICSERV:
        raise gaierror(EAI_NONAME, "Name or service not known")
    if port not in SERVICES:
        raise gaierror(EAI_SERVICE, "Servname not supported for ai_socktype")
    return SERVICES[port]


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    if family not in (AF_UNSPEC, AF_INET, AF_INET6):
        raise gaierror(EAI_FAMILY, "ai_family not supported")
    if type not in (0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW):
        raise gaierror(EAI_SOCKTYPE, "ai_socktype not supported")
    if host is None and port is None:
        raise gaierror(EAI_NONAME, "Name or service not known")
    number = port_number(port, flags)
    if host is None or host in ("", b""):
        table = ANY if flags & AI_PASSIVE else HERE
        found = [(f, numeric) for f, numeric in table.items() if family in (AF_UNSPEC, f)]
    else:
        found = lookup(ascii_name(host), family, flags)
    canonical = ascii_name(host) if host and flags & AI_CANONNAME else ""
    # Only streams exist here: who does not say what kind is meant gets those.
    kind = type or (SOCK_DGRAM if proto == IPPROTO_UDP else SOCK_STREAM)
    proto = proto or {SOCK_STREAM: IPPROTO_TCP, SOCK_DGRAM: IPPROTO_UDP}.get(kind, 0)
    answer = []
    for f, numeric in found:
        address = (numeric, number) if f == AF_INET else (numeric, number, 0, 0)
        answer.append((f, kind, proto, canonical, address))
        canonical = ""
    return answer


def inet_pton(family, text):
    if family != AF_INET6:
        return _real.inet_pton(family, text)
    try:
        return ipaddress.IPv6Address(text).packed
    except ValueError:
        raise OSError("illegal IP address string passed to inet_pton") from None


def inet_ntop(family, packed):
    if family != AF_INET6:
        return _real.inet_ntop(family, packed)
    if len(packed) != 16:
        raise ValueError("invalid length of packed IP address string")
    return str(ipaddress.IPv6Address(bytes(packed)))


def getnameinfo(sockaddr, flags):
    host, port = sockaddr[:2]
    found = numeric_host(host)
    if not found:
        raise gaierror(EAI_NONAME, "Name or service not known")
    host = found[1]
    if not flags & NI_NUMERICHOST:
        if host in HERE.values():
            host = "localhost"
        elif flags & NI_NAMEREQD:
            raise gaierror(EAI_NONAME, "Name or service not known")
    if not flags & NI_NUMERICSERV:
        for service, number in SERVICES.items():
            if number == port:
                return host, service
    return host, str(port)


def gethostname():
    return HOSTNAME


def sethostname(name):
    raise PermissionError(_errno.EPERM, "Operation not permitted")


def gethostbyname(hostname):
    name = ascii_name(hostname)
    return str(lookup(name, AF_INET)[0][1]) if name else ANY[AF_INET]


def gethostbyname_ex(hostname):
    return ascii_name(hostname), [], [gethostbyname(hostname)]


def gethostbyaddr(ip_address):
    numeric = str(lookup(ascii_name(ip_address))[0][1])
    if numeric not in HERE.values():
        raise herror(1, "Unknown host")
    return "localhost", [], [numeric]


def getservbyname(servicename, protocolname=None):
    if servicename not in SERVICES or protocolname not in (None, "tcp"):
        raise OSError("service/proto not found")
    return SERVICES[servicename]


def getservbyport(port, protocolname=None):
    if protocolname in (None, "tcp"):
        for service, number in SERVICES.items():
            if number == port:
                return service
    raise OSError("port/proto not found")


def getprotobyname(protocolname):
    if protocolname not in PROTOCOLS:
        raise OSError("protocol not found")
    return PROTOCOLS[protocolname]


def if_nameindex():
    return [(1, "lo")]


def if_nametoindex(name):
    if name != "lo":
        raise OSError(_errno.ENODEV, "No such device")
    return 1


def if_indextoname(index):
    if index != 1:
        raise OSError(_errno.ENXIO, "No such device or address")
    return "lo"


# What _socket has of this module.
__all__ = [name for name in globals() if name.startswith(("EAI_", "get", "inet_", "if_")) or name in ("SOCK_RAW", "gaierror", "herror", "sethostname")]
