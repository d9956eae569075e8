"""Which addresses Tocsin calls on behalf of people, and which it never does (`integrations.md` 3.2).

What a name leads to is judged where the connection is made, every time: see `channels/http.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2000
SETTING = "OUTBOUND_ALLOW"
NOT_ALLOWED = f"The address is not allowed. Whoever runs Tocsin can allow it with {SETTING}."
# Beside what `ipaddress` calls private: shared and host-local networks of clouds, and the wrappings of IPv4
# in IPv6, which lead to private IPv4 addresses where the network unwraps them.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "fec0::/10",
    )
)
_LOWEST_FREE_PORT = 1024
_WEB_PORTS = (80, 443)
_OTHERS_PORTS = frozenset({22, 25, 465, 587, 3306, 5432, 6379, 9200, 11211})


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets Tocsin call although it is private: host names and networks."""

    hosts: frozenset[str] = frozenset()
    networks: Sequence[Network] = ()

    def names(self, host: str) -> bool:
        """Whether the host itself is listed, wherever its name leads."""
        return host.lower().rstrip(".") in self.hosts

    def holds(self, address: Address) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)


def read_allowed(text: str) -> Allowed:
    """From a setting: `10.0.0.0/8, campfire.internal`. Raises ValueError for what is neither."""
    hosts, networks = set(), []
    for part in (each.strip() for each in text.split(",") if each.strip()):
        try:
            networks.append(ip_network(part, strict=False))
        except ValueError:
            if "/" in part or ":" in part or not part.isprintable() or " " in part:
                raise
            hosts.add(part.lower().rstrip("."))
    return Allowed(frozenset(hosts), tuple(networks))


def unwrapped(text: str) -> Address:
    """The address that is meant: an IPv4 one in IPv6 clothes is itself."""
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NEVER if network.version == address.version)


def is_port_allowed(port: int) -> bool:
    return (port in _WEB_PORTS or port >= _LOWEST_FREE_PORT) and port not in _OTHERS_PORTS


def wrong_with_url(text: str, allowed: Allowed) -> str:
    """Why the address will not be called, or "". A courtesy to who types it: a name is judged later, too."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "This is not an address."
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        return f"An address has up to {LONGEST_URL} characters, without blanks."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "An address such as https://example.org/hook."
    if parts.username is not None or parts.password is not None:
        return "No user name or password in the address: use a header."
    if parts.fragment or text.endswith("#"):
        return "No fragment (#…) in the address."
    if port is not None and not is_port_allowed(port):
        return f"Port {port} is not allowed: 80, 443 or one from 1024 on that no other service is known by."
    return _wrong_with_host(parts, parts.hostname, allowed)


def _wrong_with_host(parts: SplitResult, host: str, allowed: Allowed) -> str:
    if allowed.names(host):
        return ""
    address = _literal(host)
    listed = address is not None and allowed.holds(address)
    if parts.scheme == "http" and not listed and (address is not None or not allowed.networks):
        return f"https only. Plain http goes to what {SETTING} lists."
    if listed:
        return ""
    if _is_local_name(host) or (address is not None and not is_public(address)):
        return NOT_ALLOWED
    return ""


def _is_local_name(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith((".localhost", ".internal")) or name.startswith("metadata.")


def _literal(host: str) -> Address | None:
    try:
        return unwrapped(host)
    except ValueError:
        return None
