"""Addresses that Tocsin calls, and those that it never does."""

import pytest

from app.domain import outward
from app.domain.outward import Allowed

NEVER = [
    "127.0.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "224.0.0.1",
    "239.1.2.3",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "203.0.113.5",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:1::1",
    "fec0::1",
    "fe80::1%eth0",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", NEVER)
def test_what_is_private_or_leads_there_is_not_public(text):
    assert not outward.is_public(outward.unwrapped(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is(text):
    assert outward.is_public(outward.unwrapped(text))


URLS = {
    "an address": ("https://hooks.example.org/x?token=1", ""),
    "a high port": ("https://hooks.example.org:8443/x", ""),
    "plain http": ("http://hooks.example.org/x", "https only"),
    "another scheme": ("ftp://hooks.example.org/x", "An address such as"),
    "no host": ("https:///x", "An address such as"),
    "a user": ("https://me:secret@hooks.example.org/", "No user name"),
    "a fragment": ("https://hooks.example.org/#x", "No fragment"),
    "a port of mail": ("https://hooks.example.org:25/", "Port 25"),
    "a low port": ("https://hooks.example.org:81/", "Port 81"),
    "no number": ("https://hooks.example.org:x/", "not an address"),
    "a blank": ("https://hooks.example.org/a b", "without blanks"),
    "too long": ("https://hooks.example.org/" + "x" * 2000, "up to 2000"),
    "this machine": ("https://localhost/x", "OUTBOUND_ALLOW"),
    "this machine by number": ("https://127.0.0.1/x", "OUTBOUND_ALLOW"),
    "a cloud's own": ("https://metadata.google.internal/x", "OUTBOUND_ALLOW"),
    "a bracket left open": ("https://[::1/x", "not an address"),
}


@pytest.mark.parametrize(("url", "wrong"), URLS.values(), ids=URLS)
def test_whoever_types_an_address_is_told_what_is_wrong_with_it(url, wrong):
    said = outward.wrong_with_url(url, Allowed())
    assert wrong in said
    assert bool(said) == bool(wrong)


def test_what_the_operator_lists_is_allowed():
    allowed = outward.read_allowed("10.0.0.0/8, Hooks.Internal, ::1")
    assert outward.wrong_with_url("http://hooks.internal/x", allowed) == ""
    assert outward.wrong_with_url("http://10.1.2.3:8080/x", allowed) == ""
    assert outward.wrong_with_url("https://127.0.0.1/x", allowed) == outward.NOT_ALLOWED
    assert allowed.holds(outward.unwrapped("::ffff:10.1.2.3"))


@pytest.mark.parametrize("text", ["10.0.0.0/99", "a b", "http://x", "fe80::/999"])
def test_a_list_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        outward.read_allowed(text)
