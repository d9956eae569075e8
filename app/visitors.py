"""Who is counted when requests are limited: short keys, whatever a visitor sends."""

import hashlib
from ipaddress import IPv6Address, ip_address

from flask import request

# What one customer of a network has to themselves: they could send from a new address each time.
IPV6_PREFIX = 64


def address() -> str:
    """Where the request comes from: an IPv4 address, or the network of an IPv6 one."""
    try:
        found = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:  # a socket without addresses, say
        return "unknown"
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> (128 - IPV6_PREFIX) << (128 - IPV6_PREFIX))}/{IPV6_PREFIX}"


def typed_address() -> str:
    """The mail address in the form that was sent; only its hash, for it may be of any length."""
    return hashlib.sha256(request.form.get("email", "").strip().lower().encode()).hexdigest()
