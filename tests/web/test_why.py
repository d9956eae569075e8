"""Why was I not told? Six answers in their order, each with the switch in it, and "Tell me next time"."""

from datetime import datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.clock import now as clock
from app.models import (
    Attempt,
    Digest,
    IngestCount,
    IssueMute,
    NotificationSetting,
    SettingAudit,
    Subscription,
)
from app.services.issues import removing
from app.services.preferences import muting, preferring, subscribing
from tests.support.browser import HTMX

PATH = "/notices/why/"


@pytest.fixture
def bobs(as_user, cast):
    return as_user(cast.bob)


@pytest.fixture
def notice(make, issue, now):
    return make.notice(issue, "comment", planned_at=now, occurred_at=clock())


def asked(browser, issue, **fields):
    """The answer's page, as words."""
    page = browser.page(PATH, query_string={"issue": issue.id, "ask": 1, **fields})
    return page, " ".join(page.select_one("#answer").text.split())


def press(browser, form, **more):
    """What the browser does when its form is sent."""
    fields = {}
    for field in form.select("input[name], button[name]"):
        fields.setdefault(field["name"], []).append(field.get("value", ""))
    return browser.post(form["action"], data=fields | more)


# The question


def test_the_issue_page_leads_to_the_question(bobs, issue):
    page = bobs.page(f"/acme/shop/issues/{issue.id}/")
    assert page.find("a", href=f"{PATH}?issue={issue.id}")


def test_the_form_offers_what_happened_lately_and_an_event_at_about(bobs, make, issue, now):
    made = [make.notice(issue, planned_at=now) for _ in range(25)]
    page = bobs.page(f"{PATH}?issue={issue.id}")
    values = [option["value"] for option in page.select("#notice option")]
    assert values == [*(each.public_id for each in reversed(made[-20:])), "event"]
    assert page.select_one("#answer").text.strip() == ""


def test_without_an_issue_it_is_asked_for(bobs, issue):
    page = bobs.page(PATH)
    assert page.find(id="issue")
    assert not page.find(id="notice")
    answer = bobs.post(PATH, data={"issue": issue.short_id.lower()})
    assert answer.location.startswith(f"{PATH}?issue={issue.short_id.lower()}")
    assert bobs.get(answer.location).status_code == 200


@pytest.mark.parametrize("typed", ["", "SHOP-99", "x y", "💥"])
def test_an_issue_that_is_not_there_comes_back_with_words(bobs, issue, typed):
    answer = bobs.post(PATH, data={"issue": typed, "user": "bob@example.org"}, headers=HTMX)
    assert answer.status_code == 422
    assert BeautifulSoup(answer.text, "html.parser").select_one('.errors a[href="#issue"]')


# The answers


def test_what_was_delivered_is_found_again_in_ones_mail(bobs, make, cast, session, issue, notice, now):
    delivery = make.delivery(notice, cast.bob, state="accepted", message_id="<d.1@example.org>")
    session.add(Attempt(delivery_id=delivery.id, number=1, at=now, outcome="accepted", response="Ok 4F2A"))
    page, words = asked(bobs, issue)
    assert "You were told" in words
    assert "accepted by the mail server" in words
    assert "Ok 4F2A" in words
    assert f"search your mail for {delivery.public_id}" in words
    assert "<d.1@example.org>" in page.find(id="for-admin").text
    assert "Send me a test" in words


def test_what_failed_says_so(bobs, make, cast, session, issue, notice, now):
    delivery = make.delivery(notice, cast.bob, state="failed")
    session.add(Attempt(delivery_id=delivery.id, number=1, at=now, outcome="failed", response="550 no"))
    _, words = asked(bobs, issue)
    assert "You were not told" in words
    assert "refused by the mail server" in words
    assert "550 no" in words


def test_what_is_held_can_be_sent_now(bobs, session, cast, issue, notice, decided, now):
    until = clock() + timedelta(hours=3)
    digest = Digest(
        public_id="g_1", kind="quiet", key="quiet", user_id=cast.bob.id, opened_at=now, send_at=until, data={}
    )
    session.add(digest)
    session.flush()
    held = decided(notice, cast.bob, "quiet_hours", outcome="defer", until=until.isoformat())
    held.digest_id = digest.id
    page, words = asked(bobs, issue)
    assert "quiet hours." in words
    assert f"{until:%H:%M}" in words
    answer = press(bobs, page.select_one(f'form[action="{PATH}send"]'))
    assert answer.status_code == 303
    session.expire_all()
    assert session.get_one(Digest, digest.id).is_asked_for


def test_a_refusal_says_who_set_it_and_when_and_holds_the_switch(bobs, session, cast, issue, notice, decided):
    then = datetime.fromisoformat("2026-11-03T09:14:00+00:00")
    preferring.choose(session, cast.bob, "workflow", "never", project=cast.shop, via="one-click", now=then)
    decided(notice, cast.bob, "workflow_never", scope="project")
    page, words = asked(bobs, issue)
    assert "Workflow changes: never (your choice for this project)." in words
    assert "Set by you, by one-click in email, Tue 3 Nov 2026 09:14 UTC." in words
    row = page.select_one("#answer tr.setting")
    form = row.select_one("form")
    assert form["action"].endswith("/notifications/choice")
    assert row.select_one("option[selected]")["value"] == "never"


def test_unsubscribed_has_a_button_that_subscribes(bobs, session, cast, issue, notice, decided):
    subscribing.unsubscribe(session, issue, user=cast.bob, now=clock(), via="web")
    decided(notice, cast.bob, "issue_unsubscribed")
    page, _ = asked(bobs, issue)
    answer = press(bobs, page.select_one('form[action$="/subscription"]'))
    assert answer.location.startswith(PATH)
    session.expire_all()
    assert session.scalars(select(Subscription)).one().state == "subscribed"


def test_muted_has_a_button_that_unmutes(bobs, session, cast, issue, notice, decided):
    until = clock() + timedelta(days=2)
    muting.mute(session, issue, user=cast.bob, until=until, now=clock())
    decided(notice, cast.bob, "issue_muted", until=until.isoformat())
    page, words = asked(bobs, issue)
    assert "Muted since" in words
    press(bobs, page.select_one('form[action$="/mute"]'))
    assert session.scalar(select(IssueMute)) is None


def test_what_another_notice_told_leads_to_it(bobs, make, cast, issue, notice, decided, now):
    carrier = make.notice(issue, "regression", planned_at=now)
    decided(notice, cast.bob, "merged", outcome="collapse").params = {"notice": carrier.public_id}
    page, words = asked(bobs, issue, notice=notice.public_id)
    assert "You were told with something else" in words
    assert page.select_one("#answer").find("a", href=f"/notices/{carrier.public_id}/")


def test_a_stopped_notice_answers_for_everybody(bobs, make, issue, now):
    make.notice(issue, planned_at=now, gate_code="undone")
    _, words = asked(bobs, issue)
    assert "Whoever did this took it back before anybody was told." in words


def test_an_event_without_a_notice_shows_every_rule_with_what_it_saw(bobs, session, cast, make, issue, now):
    event = make.event(issue, at=now + timedelta(hours=1), level="warning")
    at = event.received_at.strftime("%Y-%m-%dT%H:%M")
    page, words = asked(bobs, issue, notice="event", at=at)
    assert "No rule matched." in words
    assert "Worked out anew from the rules as they were then" in words
    rows = [" ".join(row.text.split()) for row in page.select("#answer table tbody tr")]
    assert any("a new issue is seen the issue was known not met" in row for row in rows)


def test_an_event_of_an_ignored_issue_asked_no_rule(bobs, acts, cast, make, issue):
    acts.ignore(issue, by=cast.alice)
    event = make.event(issue, at=clock())
    _, words = asked(bobs, issue, notice="event", at=event.received_at.strftime("%Y-%m-%dT%H:%M"))
    assert "The issue was ignored. Rules are asked about open issues only." in words


def test_without_an_event_the_intake_is_shown(bobs, session, cast, issue, now):
    hour = datetime.fromisoformat("2026-11-01T09:00:00+00:00")
    session.add(
        IngestCount(project_id=cast.shop.id, hour=hour, category="error", outcome="dropped", count=12)
    )
    _, words = asked(bobs, issue, at="2026-11-01T09:14")
    assert "There was no event" in words
    assert "Dropped12" in words
    assert "no notice was made in that time" in words


def test_times_are_typed_on_ones_own_clock(bobs, session, cast, make, issue):
    cast.bob.timezone = "Asia/Tokyo"
    event = make.event(issue, at=datetime.fromisoformat("2026-11-01T09:14:00+00:00"))
    _, words = asked(bobs, issue, at="2026-11-01T18:14")
    assert event.event_id[:8] in words


@pytest.mark.parametrize("at", ["x", "0001-01-01T00:00", "9999-12-31T23:59", "2026-13-01", ""])
def test_a_time_that_is_none_comes_back_with_words(bobs, issue, at):
    answer = bobs.get(PATH, query_string={"issue": issue.id, "notice": "event", "at": at})
    assert answer.status_code == 422
    assert 'href="#at"' in answer.text


# Tell me next time


def test_the_smallest_change_is_offered_with_what_it_brings_done_and_undone(
    bobs, session, cast, make, issue, decided, now
):
    preferring.choose(session, cast.bob, "workflow", "never", project=cast.shop, via="web", now=now)
    for _ in range(3):
        each = make.notice(issue, "comment", planned_at=now, occurred_at=clock() - timedelta(days=1))
        decided(each, cast.bob, "workflow_never", scope="project")
    old = make.notice(issue, "comment", planned_at=now, occurred_at=clock() - timedelta(days=9))
    decided(old, cast.bob, "workflow_never", scope="project")
    page, words = asked(bobs, issue, notice=each.public_id)
    assert "Set Workflow for Shop to Default (Always)" in words
    assert "this would have sent you 3 more emails" in words
    assert session.scalars(select(NotificationSetting)).one().value == "never"

    done = press(bobs, page.select_one(f'#next-time form[action="{PATH}change"]'))
    assert done.status_code == 200
    assert session.scalar(select(NotificationSetting)) is None
    audits = session.scalars(select(SettingAudit).order_by(SettingAudit.id)).all()
    assert [(audit.old, audit.new, audit.via) for audit in audits] == [
        (None, "never", "web"),
        ("never", None, "web"),
    ]

    undo = BeautifulSoup(done.text, "html.parser").select_one("#next-time form")
    press(bobs, undo)
    session.expire_all()
    assert session.scalars(select(NotificationSetting)).one().value == "never"


def test_one_mail_of_an_event_is_counted_once(bobs, session, cast, make, issue, decided, now):
    preferring.choose(session, cast.bob, "alerts", "off", via="web", now=now)
    preferring.choose(session, cast.bob, "workflow", "never", via="web", now=now)
    for kind in ("alert.new", "alert.again"):
        rule = make.rule(cast.shop, kind)
        each = make.notice(
            issue, kind, planned_at=now, occurred_at=clock(), event_id="e" * 32, rule_id=rule.id
        )
        decided(each, cast.bob, "alerts_off", scope="account", reasons=["fallback_all"])
    _, words = asked(bobs, issue, notice=each.public_id)
    assert "Set Alerts for Shop to On" in words
    assert "1 more email." in words


def test_whoever_would_be_told_by_now_hears_that(bobs, cast, issue, notice, decided):
    decided(notice, cast.bob, "workflow_never", scope="project")
    _, words = asked(bobs, issue)
    assert "As your settings are now, you would be told." in words


def test_a_mute_can_be_taken_back_and_put_back(bobs, session, cast, issue, notice, decided):
    until = clock() + timedelta(days=2)
    muting.mute(session, issue, user=cast.bob, until=until, now=clock())
    decided(notice, cast.bob, "issue_muted", until=until.isoformat())
    page, words = asked(bobs, issue)
    assert f"Unmute {issue.short_id}" in words
    done = press(bobs, page.select_one("#next-time form"))
    assert session.scalar(select(IssueMute)) is None
    press(bobs, BeautifulSoup(done.text, "html.parser").select_one("#next-time form"))
    assert session.scalars(select(IssueMute)).one().until == until


BAD = [
    "",
    "workflow project sometimes -",
    "billing account on -",
    "mute issue never -",
    "workflow project always - -",
    f"mute issue {'9' * 25} -",
    f"mute issue {'9' * 5000} -",
    "mute issue 9999999999 -",
    "mute issue -1 -",
    "mute issue \u0663 -",
    "mute issue 9999-12-31T23:59:59-23:00 -",
    "mute issue 0001-01-01 -",
    f"subscription issue {'9' * 25} {'9' * 25}",
    f"kind account on {'x' * 500}",
]


@pytest.mark.parametrize("text", BAD)
def test_a_change_that_nobody_offered_is_refused(bobs, session, cast, issue, notice, text):
    answer = bobs.post(f"{PATH}change", data={"notice": notice.public_id, "change": text})
    assert answer.status_code in (400, 422)
    assert session.scalar(select(NotificationSetting)) is None


def test_a_change_of_one_issue_is_not_counted_for_others(bobs, session, cast, make, issue, decided, now):
    """Unsubscribed here and there, alerts off for the project: the offer lifts both for this issue alone."""
    other = make.issue(cast.shop, title="ValueError: other")
    third = make.issue(cast.shop, title="OSError: third")
    preferring.choose(session, cast.bob, "alerts", "off", project=cast.shop, via="web", now=now)
    for each in (issue, other):
        subscribing.unsubscribe(session, each, user=cast.bob, now=now, via="web")
        notice = make.notice(each, planned_at=now, occurred_at=clock())
        decided(notice, cast.bob, "issue_unsubscribed", reasons=["fallback_all"])
    decided(make.notice(third, planned_at=now, occurred_at=clock()), cast.bob, "alerts_off", scope="project")
    _, words = asked(bobs, issue)
    assert f"Take back that you unsubscribed from {issue.short_id}" in words
    assert "Set Alerts for Shop to Default (On)" in words
    assert "this would have sent you 2 more emails" in words


# An issue that is not there, or not any more


def test_a_name_that_finds_nothing_is_said_and_kept(bobs, issue):
    for answer in (bobs.get(f"{PATH}?issue=SHOP-999"), bobs.post(PATH, data={"issue": "SHOP-999"})):
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 422
        assert page.select_one("#issue-error").text == "You see no issue SHOP-999."
        assert page.find(id="issue")["value"] == "SHOP-999"


def test_what_was_told_of_a_deleted_issue_is_found_by_its_name(
    bobs, session, cast, issue, notice, decided, now
):
    decided(notice, cast.bob, "alerts_off", scope="account")
    removing.delete(session, [issue], by=cast.alice, now=now)
    session.commit()
    for name in (issue.short_id, issue.short_id.lower(), issue.id):
        page = bobs.page(PATH, query_string={"issue": name, "ask": 1})
        assert "SHOP-1 was deleted." in page.text
        assert "Alerts are off (from your account)." in page.select_one("#answer").text
        assert [option["value"] for option in page.select("#notice option")] == [notice.public_id]


def test_a_deleted_issue_is_asked_about_by_its_name_again(bobs, session, cast, issue, notice, decided, now):
    decided(notice, cast.bob, "alerts_off", scope="account")
    removing.delete(session, [issue], by=cast.alice, now=now)
    session.delete(issue)
    session.commit()
    fields = {"issue": "SHOP-1", "notice": notice.public_id}
    assert "Alerts are off" in bobs.post(PATH, data=fields, headers=HTMX).text
    assert bobs.get(f"{PATH}?issue={issue.id}").status_code == 422


def test_strangers_learn_nothing_of_a_deleted_issue(as_user, session, cast, issue, notice, now):
    removing.delete(session, [issue], by=cast.alice, now=now)
    session.commit()
    answer = as_user(cast.dee).get(f"{PATH}?issue=SHOP-1")
    assert answer.status_code == 422
    assert "KeyError" not in answer.text


def test_a_good_answer_comes_with_a_form_without_the_old_error(bobs, issue, notice):
    fields = {"issue": issue.id, "notice": "event", "at": "never"}
    assert "Say when" in bobs.post(PATH, data=fields, headers=HTMX).text
    good = bobs.post(PATH, data={"issue": issue.id, "notice": notice.public_id}, headers=HTMX)
    form = BeautifulSoup(good.text, "html.parser").find(id="why-form")
    assert form["hx-swap-oob"] == "true"
    assert not form.select(".errors, .field-error")


# What changes while one looks


def test_what_was_changed_is_said_in_the_past_and_the_switch_beside_it_follows(
    bobs, session, cast, issue, notice, decided
):
    preferring.choose(session, cast.bob, "workflow", "never", project=cast.shop, via="web", now=clock())
    decided(notice, cast.bob, "workflow_never", scope="project")
    page, _ = asked(bobs, issue)
    form = page.select_one(f'#next-time form[action="{PATH}change"]')
    fields = {field["name"]: field.get("value", "") for field in form.select("input[name]")}
    done = BeautifulSoup(bobs.post(form["action"], data=fields, headers=HTMX).text, "html.parser")
    assert done.select_one("#next-time li").text == "Workflow for Shop was set to Default (Always)"
    control = done.find(id="why-control")
    assert control["hx-swap-oob"] == "true"
    assert control.select_one(".in-force").text == "Always"
    undo = {field["name"]: field["value"] for field in done.select("#next-time input[name]")}
    back = BeautifulSoup(bobs.post(form["action"], data=undo, headers=HTMX).text, "html.parser")
    assert back.find(id="why-control").select_one(".in-force").text == "Never"


def test_what_was_asked_for_now_has_one_time_and_no_button(bobs, session, cast, issue, notice, decided, now):
    until = clock() + timedelta(hours=3)
    digest = Digest(
        public_id="g_1", kind="quiet", key="quiet", user_id=cast.bob.id, opened_at=now, send_at=until, data={}
    )
    session.add(digest)
    session.flush()
    decided(notice, cast.bob, "quiet_hours", outcome="defer", until=until.isoformat()).digest_id = digest.id
    page, _ = asked(bobs, issue)
    press(bobs, page.select_one(f'form[action="{PATH}send"]'))
    page, words = asked(bobs, issue)
    assert not page.select(f'form[action="{PATH}send"]')
    assert f"{until:%H:%M}" not in words
    assert "You asked for it" in words


def test_mail_that_was_kept_here_was_accepted_by_nobody(bobs, make, cast, session, issue, notice, now):
    delivery = make.delivery(notice, cast.bob, state="accepted")
    session.add(
        Attempt(
            delivery_id=delivery.id, number=1, at=now, outcome="accepted", response="kept", peer="/dev/mail/"
        )
    )
    _, words = asked(bobs, issue)
    assert "kept here, as no mail server is set" in words
    assert "accepted by the mail server" not in words
