from __future__ import annotations

import pytest

from app.domain.parameterising import parameterised
from tests.support.growth import growth

TEXTS = {
    "email": ("mail to ana.b+c@example.org failed", "mail to <email> failed"),
    "email in any script": ("for ünï@example.net", "for <email>"),
    "URL": ("GET https://x.y:80/z?a=1 failed", "GET <url> failed"),
    "web socket": ("ws://h/1", "<url>"),
    "UUID": ("job 4f0c2a9e-8d1b-4f57-9b7b-1f2a0d3c4b5a", "job <uuid>"),
    "IPv4": ("10.20.0.41:8443", "<ip>:<int>"),
    "IPv6": ("fe80::1 and 2001:db8::ff00:42:8329", "<ip> and <ip>"),
    "ISO time": ("at 2026-11-23T04:16:51.968Z", "at <date>"),
    "ISO date": ("on 2026-11-23", "on <date>"),
    "RFC 822": ("Mon, 23 Nov 2026 04:16:51 GMT", "<date>"),
    "weekday first": ("Mon Nov 23 04:16:51 UTC 2026", "<date>"),
    "time of day": ("12:30:45", "<date>"),
    "milliseconds": ("after 3021ms", "after <duration>"),
    "seconds": ("1.5s", "<duration>"),
    "address": ("at 0x7f4dd3bd3700", "at <hex>"),
    "MD5": ("d41d8cd98f00b204e9800998ecf8427e", "<hex>"),
    "git id": ("commit a1b2c3d", "commit <hex>"),
    "a word of hexadecimal letters": ("defaced decade", "defaced decade"),
    "float": ("1.5 and -2.25", "<float> and <float>"),
    "integer": ("order 1041, -4", "order <int>, <int>"),
    "glued to a letter": ("abc12 12x x1", "abc12 12x x1"),
    "after a dash": ("AX-11", "AX-<int>"),
    "quoted": ("name='x y' id=\"z\"", "name=<quoted> id=<quoted>"),
    "quoted without an equals sign": ("key 'CH'", "key 'CH'"),
    "truth": ("ok=true bad=False true", "ok=<bool> bad=<bool> true"),
    "a double colon": ("std::vector", "std::vector"),
    "two lines": ("\n one 1 \n\n two 2\nthree", " one <int> \n two <int>"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "constant"), TEXTS.values(), ids=TEXTS)
def test_parameterised(text, constant):
    assert parameterised(text) == constant


NASTY = [
    "a" * 2048 + "@",
    "1." * 1024,
    "a." * 1000 + "1",
    ":" * 2000 + "1",
    "a:" * 1000,
    "f1" * 1024,
    "='" * 1000,
    "0-" * 1024,
]


@pytest.mark.parametrize("text", NASTY, ids=lambda text: text[:4])
def test_nasty_text_takes_as_much_longer_as_it_is_longer(text):
    longest = (text * 100)[:2048]
    assert parameterised(longest + "and 1 more") == parameterised(longest)
    assert growth(parameterised.__wrapped__, longest, times=8) < 24
