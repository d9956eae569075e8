"""Buttons in Slack: they act as the linked person with that person's rights, and for nobody else."""

import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from app.channels.slack_calls import realm_of
from app.models import Activity, Callback, ChannelAccount, Delivery, Issue, TeamMember, Verdict
from tests.support import slack
from tests.support.receiver import answer
from tests.support.slack import CHANNEL, TEAM, TS, Workspace, press, shared

LINK = re.compile(r"<https://tocsin\.example\.org(/settings/account/connections/link/[^|]+)\|")


@pytest.fixture(autouse=True)
def at_slack(app, receiver, monkeypatch, cast):
    """Slack is where the receiver is."""
    receiver.usual = answer(200, json.dumps({"ok": True, "channel": CHANNEL, "ts": TS}).encode())
    settings = replace(app.config["SETTINGS"], slack_base_url=receiver.base)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    cast.shop.digest_minimum = cast.shop.digest_maximum = 0


@pytest.fixture
def alerts(session, cast, settings):
    made = slack.bot(session, cast.shop, settings, cast.alice)
    session.commit()
    return made


@pytest.fixture
def workspace(client, alerts):
    return Workspace(client, alerts)


@pytest.fixture
def alert(make, alerts, report, run_jobs, session):
    """An issue that Slack was told of."""
    both = [{"id": "first_seen"}, {"id": "regression"}]
    make.rule_to(alerts, conditions=both, condition_match="any", frequency_minutes=0)
    report("KeyError: cart")
    run_jobs()
    session.commit()
    return session.scalars(select(Issue).order_by(Issue.id.desc())).first()


@pytest.fixture
def said(receiver):
    """What Slack was called with since the last look: the method or path, and the body."""
    looked = []

    def look():
        new = receiver.taken[len(looked) :]
        looked.extend(new)
        return [(each.path.removeprefix("/api/"), json.loads(each.body)) for each in new]

    return look


@pytest.fixture
def link_of(workspace, run_jobs, said):
    """Presses as somebody unknown, and takes the link from the answer."""

    def get(issue, account="U0B0B"):
        assert workspace.call(press("resolve", issue.id, account=account)).status_code == 200
        said()
        run_jobs()
        [(path, body)] = said()
        assert (path, body["response_type"]) == ("/actions/T0123ABCD/1234/abcdef", "ephemeral")
        return LINK.search(body["text"])[1]

    return get


@pytest.fixture
def linked(link_of, as_user, said, run_jobs):
    """Bob, or somebody else, links their account."""

    def link(issue, person, account="U0B0B"):
        answer = as_user(person).post(link_of(issue, account))
        assert answer.location.endswith("/settings/account/connections/")
        return account

    return link


def status(session, issue):
    session.commit()
    session.refresh(issue)
    return issue.status


def test_a_button_resolves_as_the_person_who_linked_the_account(
    cast, alert, linked, workspace, run_jobs, said, session, told
):
    linked(alert, cast.bob)
    told()
    assert workspace.call(press("resolve", alert.id)).status_code == 200
    assert status(session, alert) == "unresolved"  # Slack is answered at once; a job does it
    run_jobs()
    assert status(session, alert) == "resolved"
    activity = session.scalars(select(Activity).order_by(Activity.id.desc())).first()
    assert (activity.type, activity.actor_id) == ("set_resolved", cast.bob.id)
    assert told("resolved") == ["alice", "cy"]
    calls = said()
    method, card = calls[0]
    assert (method, card["ts"], card["channel"]) == ("chat.update", TS, CHANNEL)
    assert card["attachments"][0]["color"] == "#16a34a"
    assert "Resolved by <@U0B0B>" in json.dumps(card)
    # The integration wants "resolved", too: what Slack was told first is told again, and below.
    assert [name for name, _ in calls[1:]] == ["chat.update", "chat.postMessage"]


ACTS = {
    "ignored for a day": ("ignore", "1440", "ignored"),
    "ignored for 100 events": ("ignore", "events-100", "ignored"),
    "ignored for ever": ("ignore", "ever", "ignored"),
    "assigned": ("assign", "U0B0B", "unresolved"),
    "resolved": ("resolve", "", "resolved"),
}


@pytest.mark.parametrize(("what", "choice", "expected"), ACTS.values(), ids=ACTS)
def test_each_button_does_what_it_says(
    cast, alert, linked, workspace, run_jobs, session, what, choice, expected
):
    linked(alert, cast.bob)
    workspace.call(press(what, alert.id, choice=choice))
    run_jobs()
    assert status(session, alert) == expected
    assert alert.assignee_user_id == (cast.bob.id if what == "assign" else None)
    if expected != "unresolved":
        workspace.call(press("reopen", alert.id))
        run_jobs()
        assert status(session, alert) == "unresolved"


def test_an_unlinked_account_changes_nothing_and_is_shown_the_way(alert, link_of, session):
    assert link_of(alert).startswith("/settings/account/connections/link/")
    assert status(session, alert) == "unresolved"


def test_an_address_says_nothing_about_who_somebody_is(cast, alert, workspace, run_jobs, session, said):
    """Whoever knows the signing secret can claim any address."""
    user = {"id": "U0EVIL", "username": "bob", "email": cast.bob.email, "profile": {"email": cast.bob.email}}
    workspace.call(press("resolve", alert.id, user=user))
    run_jobs()
    assert status(session, alert) == "unresolved"


def test_whoever_lost_the_project_changes_nothing(
    cast, alert, linked, workspace, run_jobs, session, said, settings
):
    linked(alert, cast.bob)
    session.execute(delete(TeamMember).where(TeamMember.user_id == cast.bob.id))
    session.commit()
    said()
    workspace.call(press("resolve", alert.id))
    run_jobs()
    assert status(session, alert) == "unresolved"
    [(_, body)] = said()
    assert "You do not see this issue" in body["text"]


def test_whose_account_is_switched_off_changes_nothing(cast, alert, linked, workspace, run_jobs, session):
    linked(alert, cast.bob)
    cast.bob.is_active = False
    session.commit()
    workspace.call(press("resolve", alert.id))
    run_jobs()
    assert status(session, alert) == "unresolved"


def test_the_app_of_one_project_opens_no_other(
    cast, make, alert, linked, workspace, run_jobs, session, settings
):
    """Its admin could make calls up: they count in projects whose admins entered the same secret."""
    linked(alert, cast.bob)
    other = make.project(cast.acme, "billing", teams=list(cast.shop.teams))
    issue = make.issue(other)
    theirs = slack.bot(session, other, settings, cast.alice, signing_secret="f" * 32)
    session.commit()
    workspace.call(press("resolve", issue.id))
    run_jobs()
    assert status(session, issue) == "unresolved"
    session.delete(theirs)
    slack.bot(session, other, settings, cast.alice, name="Same app")
    session.commit()
    workspace.call(press("resolve", issue.id))
    run_jobs()
    assert status(session, issue) == "resolved"


def test_a_link_made_with_one_app_says_nothing_to_another(
    cast, alert, alerts, linked, workspace, run_jobs, session, settings
):
    linked(alert, cast.bob)
    session.delete(alerts)
    workspace.destination = slack.bot(session, cast.shop, settings, cast.alice, signing_secret="e" * 32)
    session.commit()
    body = press("resolve", alert.id)
    answer = workspace.call(body, signed=slack.headers(body, secret="e" * 32))
    run_jobs()
    assert (answer.status_code, status(session, alert)) == (200, "unresolved")


FORGED = {
    "unsigned": {},
    "another secret": {"secret": "a" * 32},
    "six minutes ago": {"ago": 360},
    "six minutes ahead": {"ago": -360},
}


@pytest.mark.parametrize("how", FORGED.values(), ids=FORGED)
def test_calls_that_are_not_slacks_or_too_old_are_refused(
    cast, alert, linked, workspace, run_jobs, session, how
):
    linked(alert, cast.bob)
    before = session.query(Callback).count()
    body = press("resolve", alert.id)
    signed = slack.headers(body, **how) if how else {}
    assert workspace.call(body, signed=signed).status_code == 401
    run_jobs()
    assert status(session, alert) == "unresolved"
    assert session.query(Callback).count() == before


def test_a_changed_body_is_refused(cast, alert, linked, workspace, session):
    linked(alert, cast.bob)
    signed = slack.headers(press("resolve", alert.id + 1))
    assert workspace.call(press("resolve", alert.id), signed=signed).status_code == 401


def test_a_call_that_is_played_again_counts_once(cast, alert, linked, workspace, run_jobs, session, acts):
    linked(alert, cast.bob)
    body = press("resolve", alert.id)
    signed = slack.headers(body)
    for _ in range(2):
        assert workspace.call(body, signed=signed).status_code == 200
        run_jobs()
    acts.reopen(alert, by=cast.alice)
    assert workspace.call(body, signed=signed).status_code == 200
    run_jobs()
    assert status(session, alert) == "unresolved"


def test_answers_go_to_slack_alone(alert, workspace, run_jobs, said):
    said()
    for address in ("https://hooks.slack.com.evil.example/x", "http://hooks.slack.com/x", "https://[", 7):
        workspace.call(press("resolve", alert.id, response_url=address))
    run_jobs()
    assert said() == []


def test_somebody_who_did_not_link_cannot_be_assigned(
    cast, alert, linked, workspace, run_jobs, session, said
):
    linked(alert, cast.bob)
    said()
    workspace.call(press("assign", alert.id, choice="U0STRANGER"))
    run_jobs()
    [(_, body)] = said()
    assert "have not linked" in body["text"]
    assert alert.assignee_user_id is None


def test_the_assignee_is_mentioned_once_they_linked_their_account(cast, alert, linked, run_jobs, acts, said):
    linked(alert, cast.bob)
    said()
    acts.assign(alert, to=cast.bob, by=cast.alice)
    run_jobs()
    [(_, body)] = said()
    assert body["text"] == "Assigned to <@U0B0B> by Alice."


def test_what_follows_stands_below_the_first_message(cast, alert, run_jobs, report, acts, said, session):
    said()
    acts.resolve(alert, by=cast.bob)
    run_jobs()
    report("KeyError: cart")
    run_jobs()
    calls = said()
    assert [name for name, _ in calls] == ["chat.update", "chat.postMessage"] * 2
    assert calls[3][1]["reply_broadcast"]
    assert {
        verdict.code for verdict in session.scalars(select(Verdict).where(Verdict.channel == "slack"))
    } == {"send"}
    assert set(session.scalars(select(Delivery.state).where(Delivery.channel == "slack"))) == {"accepted"}


# Links that somebody posts


def test_a_link_to_an_issue_is_shown_in_the_workspace_of_its_project(alert, workspace, run_jobs, said):
    said()
    url = f"https://tocsin.example.org/acme/shop/issues/{alert.id}/"
    for _ in range(2):  # Slack repeats what was not answered in time
        assert workspace.call(shared(url, "https://elsewhere.example/1"), name="events").status_code == 200
    run_jobs()
    [(method, body)] = said()
    assert (method, body["channel"], body["ts"], list(body["unfurls"])) == ("chat.unfurl", CHANNEL, TS, [url])
    assert "KeyError: cart" in json.dumps(body["unfurls"][url])


def test_links_to_other_projects_and_from_other_workspaces_show_nothing(
    cast, make, alert, workspace, run_jobs, said, session
):
    other = make.issue(make.project(cast.acme, "billing"))
    session.commit()
    said()
    base = "https://tocsin.example.org/acme"
    workspace.call(shared(f"{base}/billing/issues/{other.id}/", event_id="Ev02"), name="events")
    workspace.call(shared(f"{base}/shop/issues/{alert.id}/", event_id="Ev03", team="T0999"), name="events")
    workspace.call(shared(f"{base}/billing/issues/{alert.id}/", event_id="Ev04"), name="events")
    run_jobs()
    assert said() == []


def test_a_guarded_project_shows_nothing_of_its_issues(cast, alert, workspace, run_jobs, said, session):
    cast.shop.mail_detail = "link"
    session.commit()
    said()
    workspace.call(shared(f"https://tocsin.example.org/acme/shop/issues/{alert.id}/"), name="events")
    run_jobs()
    assert said() == []


def test_the_address_for_events_proves_that_it_is_ours(workspace):
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
    assert workspace.call(body, name="events").text == "3eZbrw1aB"
    assert workspace.call(body, name="events", signed={}).status_code == 401


def test_a_hook_is_answered_in_place(
    cast, make, session, settings, client, receiver, run_jobs, report, said, now
):
    hook = slack.bot(
        session, cast.shop, settings, cast.alice, way="hook", webhook_url=slack.HOOK, bot_token="", channel=""
    )
    make.rule_to(hook)
    session.commit()
    receiver.usual = answer(200, b"ok")
    workspace = Workspace(client, hook)
    report("KeyError: cart")
    run_jobs()
    [(path, body)] = said()
    assert path == "/services/T0123ABCD/B0123ABCD/abcdefgh12345678"
    assert "actions" in json.dumps(body)
    issue = session.scalars(select(Issue).order_by(Issue.id.desc())).first()
    hook.kinds = ["new"]
    linked = ChannelAccount(
        user_id=cast.bob.id, channel="slack", realm=realm_of(slack.SIGNING), team=TEAM, account="U0B0B",
        names={}, asked_at=now, linked_at=now,
    )  # fmt: skip
    session.add(linked)
    session.commit()
    workspace.call(press("resolve", issue.id))
    run_jobs()
    assert status(session, issue) == "resolved"
    [(path, body)] = said()
    assert (path, body["replace_original"]) == ("/actions/T0123ABCD/1234/abcdef", True)
    assert body["attachments"][0]["color"] == "#16a34a"
