"""Everybody may ask about themselves, administrators about anybody; strangers learn nothing."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from app.clock import now as clock
from app.domain.quiet import Window
from app.models import Membership, SettingAudit
from app.services.calm import quieting
from app.services.people import workspaces

PATH = "/notices/why/"


@pytest.fixture
def bobs(as_user, cast):
    return as_user(cast.bob)


@pytest.fixture
def notice(make, issue, now):
    return make.notice(issue, "comment", planned_at=now, occurred_at=clock())


def test_administrators_may_ask_about_anybody_who_sees_it(as_user, session, cast, issue, notice, decided):
    decided(notice, cast.bob, "alerts_off", scope="account")
    fields = {"issue": issue.id, "notice": notice.public_id, "user": "bob@example.org"}
    answer = as_user(cast.alice).post(PATH, data=fields)
    words = " ".join(BeautifulSoup(answer.text, "html.parser").select_one("#answer").text.split())
    assert "bob@example.org: was not told" in words
    assert "Alerts are off (from your account)." in words
    assert "Tell me next time" not in words
    assert "setting" not in words
    line = session.scalars(select(SettingAudit)).one()
    assert (line.user_id, line.actor_id, line.category, line.via) == (
        cast.bob.id,
        cast.alice.id,
        "explanation",
        "web",
    )
    assert (
        "looked up why you were told" in as_user(cast.bob).page("/settings/account/notifications/log/").text
    )


def test_administrators_are_not_told_quiet_hours_of_others(as_user, session, cast, issue, notice, decided):
    window = Window(frozenset(range(7)), 0, 23 * 60)
    quieting.save(session, cast.bob, window, now=clock(), via="web")
    decided(notice, cast.bob, "quiet_hours", outcome="defer", until="2026-11-24T05:43:00+00:00")
    fields = {"issue": issue.id, "notice": notice.public_id, "user": "bob@example.org"}
    answer = as_user(cast.alice).post(PATH, data=fields)
    assert "Held: quiet hours." in answer.text
    assert "05:43" not in answer.text
    assert "Send now" not in answer.text


def test_asking_about_oneself_leaves_no_trace(bobs, session, issue, notice):
    assert bobs.get(PATH, query_string={"issue": issue.id, "ask": 1}).status_code == 200
    assert session.scalar(select(SettingAudit)) is None


def test_members_may_not_ask_about_others(bobs, session, issue, notice):
    fields = {"issue": issue.id, "notice": notice.public_id, "user": "cy@example.org"}
    answer = bobs.post(PATH, data=fields)
    assert answer.status_code == 422
    assert "Only who administers the project" in answer.text
    assert not bobs.page(f"{PATH}?issue={issue.id}").find(id="user")
    assert session.scalar(select(SettingAudit)) is None


@pytest.mark.parametrize("who", ["dee@example.org", "charlie@example.org", "nobody@example.org"])
def test_whoever_is_outside_has_one_answer_and_no_line_in_their_log(
    as_user, session, cast, issue, notice, who
):
    answer = as_user(cast.alice).post(PATH, data={"issue": issue.id, "user": who})
    assert "On no team of the project" in answer.text
    assert session.scalar(select(SettingAudit)) is None


def test_asking_again_and_again_leaves_one_line_an_hour(as_user, session, cast, issue, make, notice):
    other = make.issue(cast.shop)
    for asked in (issue, issue, other):
        as_user(cast.alice).post(PATH, data={"issue": asked.id, "user": "bob@example.org"})
    assert len(session.scalars(select(SettingAudit)).all()) == 2
    for line in session.scalars(select(SettingAudit)):
        line.at -= timedelta(minutes=61)
    as_user(cast.alice).post(PATH, data={"issue": issue.id, "user": "bob@example.org"})
    assert len(session.scalars(select(SettingAudit)).all()) == 3


@pytest.mark.parametrize("name", ["charlie", "dee"])
def test_strangers_learn_nothing_by_any_of_its_addresses(as_user, cast, issue, notice, name):
    stranger = as_user(getattr(cast, name))
    assert stranger.get(PATH, query_string={"issue": issue.id, "ask": 1}).status_code == 422
    assert "KeyError" not in stranger.get(PATH, query_string={"issue": issue.id, "ask": 1}).text
    fields = {"issue": issue.id, "notice": notice.public_id, "user": "bob@example.org"}
    assert stranger.post(PATH, data=fields).status_code in (404, 422)
    change = {"notice": notice.public_id, "change": "workflow project always -"}
    assert stranger.post(f"{PATH}change", data=change).status_code == 404
    assert stranger.post(f"{PATH}send", data={"notice": notice.public_id}).status_code == 404


def test_a_member_who_was_removed_finds_nothing_more(as_user, session, cast, issue, notice, decided):
    decided(notice, cast.bob, "alerts_off", scope="account")
    mine = (Membership.user_id == cast.bob.id) & (Membership.organization_id == cast.acme.id)
    workspaces.remove_member(session, session.scalars(select(Membership).where(mine)).one())
    browser = as_user(cast.bob)
    assert "KeyError" not in browser.get(PATH, query_string={"issue": issue.id, "ask": 1}).text
    assert browser.get(f"/notices/{notice.public_id}/").status_code == 404
    assert browser.get(f"/acme/shop/issues/{issue.id}/notifications/").status_code == 404


def test_a_notice_of_another_issue_is_no_answer(bobs, make, cast, issue, notice):
    other = make.issue(cast.shop, title="ValueError: other")
    assert bobs.get(PATH, query_string={"issue": other.id, "notice": notice.public_id}).status_code == 404


def test_whoever_is_signed_out_is_asked_to_sign_in(client):
    assert client.get(PATH).location == f"/auth/login/?next={PATH}"
    assert client.post(f"{PATH}change").location == "/auth/login/"
