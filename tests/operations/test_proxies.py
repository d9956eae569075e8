"""Headers of a proxy are believed when a configured proxy wrote them, and of nobody else."""

from ipaddress import ip_network

import pytest

from app.proxies import BehindProxies

TRUSTED = (ip_network("10.0.0.0/8"),)
CASES = {
    "a stranger's headers": ("8.8.8.8", "1.2.3.4", "https", ("8.8.8.8", "http")),
    "one proxy": ("10.0.0.1", "1.2.3.4", "https", ("1.2.3.4", "https")),
    "two proxies": ("10.0.0.1", "1.2.3.4, 10.0.0.2", "https", ("1.2.3.4", "https")),
    "a client that lies": ("10.0.0.1", "9.9.9.9, 1.2.3.4", "http", ("1.2.3.4", "http")),
    "no header": ("10.0.0.1", "", "", ("10.0.0.1", "http")),
    "nonsense": ("10.0.0.1", "what, ever", "gopher", ("10.0.0.1", "http")),
}


@pytest.mark.parametrize(("peer", "forwarded", "proto", "seen"), CASES.values(), ids=CASES)
def test_whose_request_it_is(peer, forwarded, proto, seen):
    environ = {
        "REMOTE_ADDR": peer,
        "HTTP_X_FORWARDED_FOR": forwarded,
        "HTTP_X_FORWARDED_PROTO": proto,
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_HOST": "tocsin.example",
        "wsgi.url_scheme": "http",
    }
    BehindProxies(lambda env, start: [], TRUSTED)(environ, lambda *_: None)
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == seen
    assert environ["HTTP_HOST"] == "tocsin.example"
