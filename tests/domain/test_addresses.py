"""Mail addresses: one stored form, and no nonsense."""

import pytest

from app.domain import addresses
from app.domain.errors import Refused


@pytest.mark.parametrize(
    "text",
    ["ana@example.org", " Ana@Example.ORG ", "a.b+c@sub.example.org", "root@localhost"],
)
def test_an_address_is_stored_in_lower_case(text):
    assert addresses.normal(text) == text.strip().lower()


def test_a_domain_is_stored_as_mail_servers_write_it():
    assert addresses.normal("Ana@Müller.example") == "ana@xn--mller-kva.example"
    assert addresses.forms(" Ana@Müller.example") == {"ana@müller.example", "ana@xn--mller-kva.example"}
    assert addresses.forms("Ana") == {"ana"}


@pytest.mark.parametrize(
    "text",
    [
        "ä@example.org",
        "ana@\u0661.example.org\u200f",
        f"ana@{'ü' * 60}.example",
        "",
        "ana",
        "@example.org",
        "ana@",
        "a b@example.org",
        "a@b@c",
        "ana@example..org",
        ".ana@example.org",
        "ana@-example.org",
        "Ana <ana@example.org>",
        "a@example.org\nBcc: b@example.org",
        "a\x00@example.org",
        f"{'x' * 65}@example.org",
        f"a@{'x' * 250}.org",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Refused) as refused:
        addresses.normal(text)
    assert refused.value.field == "email"
