"""How much mails may say: everything, titles and counts, or a link and nothing else."""

import pytest

from app.services.mails.mail_sample_list import SAMPLES
from app.services.mails.mail_sample_texts import TEXTS
from tests.messages.samples import LETTERS, composed

ABOUT_ISSUES = [name for name in SAMPLES if name not in [*LETTERS, "test"]]
SECRET = (
    "undefined",
    "summary.js",
    "cart",
    "Firefox",
    "4.2.1",
    "production",
    "wiki.example.com",
    "8f21c0de\n",
)


def all_of_it(made) -> str:
    return "\n".join(
        [made.mail.subject, made.mail.text, made.mail.html, str(made.mail.headers), made.preheader]
    )


@pytest.mark.parametrize("guard", [{"detail": "link"}, {"enhanced_privacy": True}], ids=["link", "enhanced"])
@pytest.mark.parametrize("name", ABOUT_ISSUES)
def test_a_guarded_project_says_nothing_of_the_error(name, guard):
    """Case 107: no title, no message, no stack trace, no tags; in subject, preview, headers neither."""
    said = all_of_it(composed(name, **guard))
    assert [word for word in SECRET if word in said] == []
    assert "X-Tocsin-Level" not in said
    assert "X-Tocsin-Environment" not in said
    assert "87 users" not in said


@pytest.mark.parametrize("name", ABOUT_ISSUES)
def test_the_organization_overrules_its_projects(name):
    guarded = composed(name, detail="full", enhanced_privacy=True)
    assert guarded.mail.text == composed(name, detail="link").mail.text


def test_a_guarded_mail_still_names_event_time_rule_and_link():
    text = composed("alert-new", enhanced_privacy=True).mail.text
    assert "Event: 8f21c0de9a4b4d6e8f21c0de9a4b4d6e, Mon 23 Nov 2026 09:14:03 CET" in text
    assert "Rule: New issues" in text
    assert "Open CHECKOUT-4F: https://tocsin.example.com/acme/checkout/issues/143/" in text


def test_a_subject_frozen_before_the_project_was_guarded_is_not_used_again():
    made = composed.__wrapped__("alert-new", enhanced_privacy=True)
    assert made.mail.subject == "CHECKOUT-4F"
    assert made.page.title.text == "CHECKOUT-4F"


def test_who_has_it_is_said_all_the_same():
    text = composed("assigned-team", detail="link").mail.text
    assert "Ana Lima assigned this to #payments, your team. Told: 5 of 6." in text


@pytest.mark.parametrize("name", ["alert-new", "regression"])
def test_titles_and_counts_leave_the_event_out(name):
    text = composed(name, detail="counts").mail.text.replace("\n", " ")
    assert TEXTS["typical"].title in text
    assert "87 users" in text or "2 users" in text
    assert [word for word in ("> return", "Firefox", "URL:", "Handled") if word in text] == []
