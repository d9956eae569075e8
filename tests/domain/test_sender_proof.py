"""A receiving server's DMARC result: what it said itself, and nothing that a sender had it repeat."""

import time

import pytest

from app.domain import sender_proof

US = "mx.example.org"
VOUCH = {
    "plain": f"{US}; dmarc=pass header.from=example.org",
    "with a version": f"{US} 1; dkim=pass header.d=example.org; dmarc=pass header.from=example.org",
    "in other words": "MX.example.org; DMARC = pass (p=none dis=none) header.from=Example.org",
    "of the domain above": f"{US}; dmarc=pass header.from=org.example",
}
DO_NOT = {
    "another server": "elsewhere.example.net; dmarc=pass header.from=example.org",
    "a name that begins like ours": "mx.example.org.evil.net; dmarc=pass header.from=example.org",
    "a failure": f"{US}; dmarc=fail header.from=example.org",
    "no result": f"{US}; none",
    "nothing": "",
    "in a property": f"{US}; spf=pass smtp.mailfrom=dmarc=pass@evil.org; dmarc=fail header.from=example.org",
    "in a reason": f'{US}; dmarc=fail reason="; dmarc=pass header.from=example.org;" header.from=example.org',
    "in a comment": f"{US}; dmarc=fail (; dmarc=pass header.from=example.org) header.from=example.org",
    "beside the truth": f"{US}; dmarc=pass header.from=example.org; dmarc=fail header.from=example.org",
    "for another domain": f"{US}; dmarc=pass header.from=evil.org",
    "for a domain that ends like it": f"{US}; dmarc=pass header.from=ample.org",
    "for no domain": f"{US}; dmarc=pass",
    "for a whole zone": f"{US}; dmarc=pass header.from=org",
    "quoted away": f'{US}; dmarc=pass header.from="example.org"',
    "passed by": f"{US}; dmarc=passed header.from=example.org",
    "a comment that never ends": f"{US}; ( dmarc=pass header.from=example.org",
}


@pytest.mark.parametrize("kind", VOUCH)
def test_our_own_servers_pass_for_the_senders_domain_counts(kind):
    sender = "bob@mail.org.example" if "above" in kind else "bob@example.org"
    assert sender_proof.dmarc_passes([VOUCH[kind]], authserv_id=US, sender=sender)


@pytest.mark.parametrize("result", DO_NOT.values(), ids=DO_NOT)
def test_nothing_else_does(result):
    assert not sender_proof.dmarc_passes([result], authserv_id=US, sender="bob@example.org")


def test_only_the_first_result_of_our_server_counts():
    results = [f"{US}; dmarc=fail header.from=example.org", VOUCH["plain"]]
    assert not sender_proof.dmarc_passes(results, authserv_id=US, sender="bob@example.org")


@pytest.mark.parametrize("piece", ["(", '"', "\\", ";", "dmarc=pass ", "header.from=", "dmarc "])
def test_it_is_read_in_no_time(piece):
    began = time.process_time()
    sender_proof.dmarc_passes([f"{US}; {piece * (8000 // len(piece))}"] * 8, authserv_id=US, sender="a@b.c")
    assert time.process_time() - began < 1
