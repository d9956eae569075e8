"""What each kind of mail says, and to whom."""

import pytest

from app.services.mails.mail_sample_texts import TEXTS
from app.services.mails.mail_samples import Scenery, of_notice, several
from tests.messages.samples import composed, made

SAID = {
    "alert-new": (
        "NEW  checkout · production",
        "First seen Mon 23 Nov 2026 09:14:03 CET, release 4.2.1 (deployed 09:02 by Sam Okoro). "
        "3 events, 2 users so far.",
        "… 5 more frames",
        "Handled: no",
    ),
    "regression": (
        "REGRESSED  checkout · production",
        "Resolved on 12 Nov by Priya Nair in release 4.1.7. It came back after 11 quiet days: "
        "Mon 23 Nov 2026 09:14:03 CET in 4.2.1, which is newer than 4.1.7.",
        "38 events in 24 hours, busiest hour 21",
        "What came back:",
    ),
    "regression-rules": (
        "Rules: New issues and New issues of checkout",
        "Also because the alert rules “New issues” and “New issues of checkout” fired: no owner rule "
        "matched, so all 9 members of checkout were told.",
        "Alerts for checkout (On, built-in default): change: "
        "https://tocsin.example.com/settings/account/notifications/alerts/?at=checkout#p-checkout",
    ),
    "resolved": (
        "Ana Lima resolved this. It stays resolved until another event arrives",
        "Lifetime: 412 events",
    ),
    "resolved-release": (
        "RESOLVED IN 4.2.2",
        "Ana Lima resolved this in release 4.2.2 (not deployed to production yet).",
        "An event of 4.2.2 or of a newer release does.",
    ),
    "resolved-next-release": ("It takes effect with the next release created after 4.2.1.",),
    "resolved-by-release": (
        "Fixed by commit 1f0c3aa “Guard against empty cart.",
        "resolved in release 4.2.2 (not deployed to production yet).",
    ),
    "resolved-commit": (
        "RESOLVED BY COMMIT",
        "Included in release 4.2.2. It reopens if an event arrives from 4.2.2",
    ),
    "resolved-commit-pending": (
        "The commit is in no release yet.",
        "Open the commit: https://git.example.com/",
    ),
    "resolved-age": ("RESOLVED AUTOMATICALLY", "checkout resolves issues after 14 quiet days"),
    "rule-changed": (
        "RULE CHANGED  checkout · “New issues”",
        "Sam Okoro changed “New issues”.",
        "- Environment: all + Environment: production",
        "Of an error now: told 6 before, 2 now.",
        "You're getting this because you made the alert rule “New issues”. Also because the alert rule "
        "“New issues” sent to #payments, your team.",
        "Whether you hear of changed alert rules: change: "
        "https://tocsin.example.com/settings/account/notifications/?show=kinds#kinds",
    ),
    "rule-deleted": ("Sam Okoro deleted “New issues”.", "told 6 before, nobody now; integrations: 1 before"),
    "reopened": ("Ana Lima reopened this; it was resolved. Its alert rules apply again.",),
    "reopened-commit": (
        "resolved in release 4.2.2 by commit 1f0c3aa “Guard against empty cart. Fixes CHECKOUT-4F”, which no "
        "longer names it",
    ),
    "reopened-refuted": (
        "It was resolved in release 4.2.2 by commit 1f0c3aa “Guard against empty cart. Fixes CHECKOUT-4F”, "
        "which does not fix it, as Ana Lima says. So it is unresolved",
        "You're getting this because this issue was said to be fixed by a commit of yours.",
    ),
    "unignored-worse": (
        "ESCALATING",
        "Ignored by Priya Nair on 3 Nov, until more than 42 events in an hour.",
        "43 events came in an hour, and the limit was 42. It is unresolved again",
    ),
    "unignored-users": ("10 users met it since it was ignored.",),
    "unignored-time": ("NO LONGER IGNORED", "That time is over. It is unresolved again"),
    "assigned-you": ("ASSIGNED TO YOU  checkout · unresolved", "You are now subscribed to this issue."),
    "assigned-resolved": ("ASSIGNED TO YOU  checkout · resolved on 12 Nov",),
    "assigned-again": ("You had unsubscribed from this issue. You are subscribed again.",),
    "assigned-team": ("ASSIGNED TO #PAYMENTS", "your team. Told: 5 of 6.", "Take it: https://"),
    "assigned-other": ("Ana Lima assigned this to Sam Okoro. It was Priya Nair's before.",),
    "given-away": (
        "NO LONGER YOURS",
        "Ana Lima gave this to Sam Okoro.",
        "You stay subscribed because you commented on this issue.",
    ),
    "unassigned": ("Nobody has it now.", "You have been unsubscribed; nothing else ties you to it."),
    "comment": ("COMMENT  checkout · unresolved · assigned to Sam Okoro", "because Ana Lima mentioned you."),
    "digest-resolved": ("Ana Lima resolved 12 issues in checkout",),
    "digest-release": (
        "Ana Lima resolved 2 issues in checkout, in release 4.2.2",
        "Events of older releases keep counting but do not reopen them. An event of 4.2.2 or of a newer "
        "release does.",
        "Fixed by commit 1f0c3aa “Guard against empty cart. Fixes CHECKOUT-4F”.",
    ),
    "digest-alerts": (
        "with their events and users since then; of a new issue, all it had.",
        "214 events · 61 users",
        "412 events · 87 users",
    ),
    "digest-age": ("37 issues in checkout resolved automatically", "No events for 14 days", "and 17 more"),
    "digest-assigned": ("Ana Lima assigned 12 issues in checkout to you",),
    "digest-quiet": (
        "Held for you: 2 new, 1 regressed, 1 resolved and 1 comment.",
        "Quiet hours held them from Sun 22:14 to Mon 09:14. One alert rang through: CHECKOUT-9 (fatal).",
    ),
    "test": ("You asked for this at Mon 23 Nov 2026 09:14:03 CET.",),
}


@pytest.mark.parametrize("name", SAID)
def test_a_mail_says_what_happened(name):
    text = " ".join(composed(name).mail.text.split(" "))
    unwrapped = " ".join(line.strip() for line in text.splitlines())
    assert [words for words in SAID[name] if words not in unwrapped] == []


def test_the_subject_of_a_digest_counts_and_dates_it():
    assert composed("digest-quiet").mail.subject == "While you were quiet: 4 issues, 1 comment · Mon 23 Nov"


@pytest.mark.parametrize(
    ("activity", "version", "detail", "until"),
    [
        ("set_resolved", "", "full", "They stay resolved until another event arrives;"),
        ("set_resolved_in_release", "4.2.2", "full", "An event of 4.2.2 or of a newer release does."),
        ("set_resolved_in_release", "4.2.2", "link", "An event of that release or of a newer one does."),
        ("set_resolved_in_release", "", "full", "It takes effect with the next release."),
        ("set_resolved_in_commit", "4.2.2", "full", "An event of 4.2.2 or of a newer release does."),
        ("set_resolved_in_commit", "", "full", "Until it is, events keep counting but do not reopen them."),
    ],
)
def test_a_summary_says_what_reopens_its_issues(activity, version, detail, until):
    def make(scenery):
        def notice(number):
            facts = {"activity": activity, "data": {"version": version}, "outcome": "defer"}
            return of_notice(
                scenery, "resolved", "assigned", issue=scenery.issue(40 + number), number=number, **facts
            )

        return several(scenery, "batch", map(notice, (1, 2)))

    text = " ".join(made(make, Scenery(TEXTS["typical"], detail=detail)).mail.text.split())
    assert until in text
    assert ("They stay resolved" in text) is (activity == "set_resolved")


@pytest.mark.parametrize(
    ("zone", "when", "footer"),
    [
        ("America/New_York", "Mon 23 Nov 2026 03:14:03 EST", "times are America/New_York"),
        ("America/Sao_Paulo", "Mon 23 Nov 2026 05:14:03 UTC-03", "times are America/Sao_Paulo"),
        ("UTC", "Mon 23 Nov 2026 08:14:03 UTC", "times are UTC"),
    ],
)
def test_times_are_the_readers_and_the_zone_is_named(zone, when, footer):
    text = composed("alert-new", zone=zone).mail.text
    assert when in text.replace("\n", " ")
    assert footer in text


def test_an_event_that_is_gone_leaves_the_mail_whole():
    text = composed("alert-new", "empty").mail.text
    assert "First seen Mon 23 Nov 2026 09:14:03 CET. 3 events, 2 users so far." in text.replace("\n", " ")
