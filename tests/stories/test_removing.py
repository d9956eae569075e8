"""Issues are deleted, discarded and merged while mail is on its way and workers are killed."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.models import Attempt, Delivery, Event, Issue, Notice, Verdict
from app.services import pruning
from tests.support.processes import Process, eventually

SAME = "KeyError: cart"


@pytest.fixture
def remove(as_user, alice):
    """Presses the button of the bar, and says yes."""

    def press(do, *issues, by=None):
        fields = {"issue": [issue.id for issue in issues], "do": do, "sure": "yes"}
        answer = as_user(by or alice).post("/acme/shop/bulk", data=fields)
        assert answer.status_code == 303
        return answer

    return press


def the_issue(session):
    session.expire_all()
    return session.scalars(select(Issue).order_by(Issue.id.desc())).first()


@pytest.mark.usefixtures("at_once")
def test_the_same_error_makes_a_new_issue_and_rings(cast, report, run_jobs, remove, session, told, mailbox):
    """Case 23."""
    report(SAME)
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    remove("delete", the_issue(session), by=cast.bob)
    run_jobs()
    report(SAME)
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]
    assert the_issue(session).short_id == "SHOP-2"
    assert session.scalars(select(Issue.short_id).where(Issue.status == "unresolved")).all() == ["SHOP-2"]


@pytest.mark.usefixtures("at_once")
def test_a_discarded_error_stays_silent_for_ever(cast, report, run_jobs, remove, session, told, as_user):
    """Case 24."""
    report(SAME)
    run_jobs()
    told()
    remove("discard", the_issue(session))
    for _ in range(50):
        report(SAME)
    run_jobs()
    assert told() == []
    assert session.scalars(select(Issue).where(Issue.status != "deleting")).all() == []
    assert session.scalars(select(Event)).all() == []
    browser = as_user(cast.alice)
    form = browser.page("/acme/shop/settings/discarded/").select_one("main form")
    browser.post(form["action"])
    report(SAME)
    run_jobs()
    assert told("alert.new") == ["alice", "bob", "cy"]


def test_a_mail_that_waits_for_a_deleted_issue_is_dropped_and_says_so(
    cast, report, run_jobs, smtp_server, remove, session, told, as_user
):
    """R12."""
    report(SAME)
    with smtp_server.down():
        run_jobs()
    assert told() == []
    remove("delete", the_issue(session))
    run_jobs.sweep(after=timedelta(hours=1))
    assert told() == []
    session.expire_all()
    assert set(session.scalars(select(Delivery.state))) == {"cancelled"}
    assert set(session.scalars(select(Verdict.code))) == {"no_longer_open"}
    notice = session.scalars(select(Notice)).one()
    page = as_user(cast.bob).page(f"/notices/{notice.public_id}/")
    assert "SHOP-1" in page.text
    assert "deleted" in page.text


def test_a_notice_that_nobody_has_planned_yet_is_told_to_nobody(
    cast, report, run_jobs, remove, session, told, acts
):
    """R12."""
    report(SAME)
    run_jobs.digest()
    acts.comment(the_issue(session), "Look @cy", by=cast.bob)
    remove("delete", the_issue(session))
    run_jobs()
    run_jobs.sweep(after=timedelta(minutes=1))
    assert told() == []
    session.expire_all()
    assert set(session.scalars(select(Notice.gate_code))) == {"no_longer_open"}
    assert session.scalars(select(Attempt)).all() == []


def test_merging_tells_nobody_and_old_links_lead_on(
    cast, make, report, run_jobs, remove, session, told, as_user, acts
):
    """Case 25."""
    for title in (SAME, SAME, "ValueError: total"):
        report(title)
    run_jobs()
    told()
    first, second = session.scalars(select(Issue).order_by(Issue.id))
    acts.unsubscribe(first, by=cast.bob)
    acts.subscribe(second, by=cast.bob)
    remove("merge", first, second)
    run_jobs()
    assert told() == []
    browser = as_user(cast.bob)
    here = f"/acme/shop/issues/{first.id}/"
    assert browser.get(f"/acme/shop/issues/{second.id}/").location == here
    assert browser.get(f"/i/{second.short_id}/").location == here
    assert browser.get(f"/acme/shop/?query={second.short_id}").location == here
    assert browser.post(f"/issues/{second.id}/comments", data={"text": "Both at once"}).status_code == 303
    run_jobs()
    assert told("comment") == ["alice", "cy"]
    assert "merged SHOP-2 into it" in browser.page(here).text
    session.expire_all()
    assert (first.times_seen, first.comment_count) == (3, 1)


def test_an_unsubscribe_link_of_a_merged_issue_stops_the_primary(
    cast, report, run_jobs, remove, session, told, mailbox, client, acts
):
    for title in (SAME, SAME, "ValueError: total"):
        report(title)
    run_jobs()
    first, second = session.scalars(select(Issue).order_by(Issue.id))
    acts.comment(second, "Look", by=cast.alice)
    run_jobs()
    link = mailbox(cast.bob)[-1]["List-Unsubscribe"].strip("<>")
    remove("merge", first, second)
    path = link.removeprefix("https://tocsin.example.org")
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    told()
    acts.comment(first, "And?", by=cast.alice)
    run_jobs()
    assert told("comment") == ["cy"]


@pytest.mark.parametrize("do", ["delete", "merge"])
def test_a_worker_killed_half_way_leaves_the_rest_to_the_next(
    cast, make, remove, session, environment, run_jobs, do
):
    issues = [make.issue(cast.shop, events=1, times_seen=9999), make.issue(cast.shop, title="ValueError: b")]
    row = make.event(issues[1])
    columns = [c.name for c in Event.__table__.columns if c.name not in ("id", "event_id")]
    rows = [
        {"event_id": f"{n:032x}", **{name: getattr(row, name) for name in columns}} for n in range(20_000)
    ]
    session.execute(Event.__table__.insert(), rows)
    session.commit()
    remove(do, *(issues if do == "merge" else issues[1:]))
    make.issue(cast.shop)
    session.commit()
    stays_id, goes_id = (issue.id for issue in issues)
    left = select(func.count()).where(Event.issue_id == goes_id)

    def count():
        session.commit()
        return session.scalar(left)

    with Process("worker.py", "jobs", environment=environment) as process:
        eventually(lambda: count() < 20_001 - 2 * pruning.CHUNK)
        process.kill()
    assert 0 < count() < 20_001
    run_jobs.sweep()
    assert count() == 0
    session.expire_all()
    assert session.get(Issue, goes_id) is None
    moved = session.scalar(select(func.count()).where(Event.issue_id == stays_id))
    assert moved == (20_002 if do == "merge" else 1)
