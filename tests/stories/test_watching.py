"""Watching a release: who does follows what is first seen in it, for a day (`experience.md` 5.13)."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.models import Issue, ReleaseWatch, SettingAudit, Subscription
from app.services.preferences import preferring, subscribing
from app.services.releases import watching
from tests.support.browser import HTMX

URL = "/acme/shop/releases/2.0/watch"


@pytest.fixture
def release(make, cast):
    return make.release(cast.shop, "2.0")


@pytest.fixture
def press(as_user, session, release):
    """Somebody presses a button of the release's page."""

    def act(person, state="watched", **how):
        answer = as_user(person).post(URL, data={"state": state}, **how)
        session.expire_all()
        return answer

    return act


@pytest.fixture
def brings(session, report, run_jobs):
    """An event of this release comes in; who follows its issue, and why."""

    def act(release="2.0", title="KeyError: fresh", **how):
        report(title, release=release, **how)
        run_jobs()
        return follows(session)

    return act


def follows(session):
    found = session.scalars(select(Subscription).order_by(Subscription.user_id))
    return [(row.user.name, row.reasons) for row in found]


def earlier(session, by):
    """As if the watch had been begun that much earlier."""
    row = session.scalars(select(ReleaseWatch)).one()
    row.until -= by
    session.commit()


WATCHED = ["release_watched"]


def test_who_watches_follows_what_is_first_seen_in_it_and_nothing_else(cast, press, brings, make):
    make.arrival(cast.shop, title="TypeError: known", release="1.0")
    press(cast.bob)
    assert brings(title="TypeError: known") == []
    assert brings("1.9") == []
    assert brings(title="ValueError: another") == [("Bob", WATCHED)]


def test_a_watch_is_over_after_a_day_and_leaves_what_it_brought(session, cast, press, brings):
    press(cast.bob)
    assert brings() == [("Bob", WATCHED)]
    earlier(session, watching.LASTS)
    assert brings(title="ValueError: later") == [("Bob", WATCHED)]


def test_only_members_follow_whoever_may_watch(make, cast, press, brings):
    press(cast.bob)
    billing = make.project(cast.acme, "billing", teams=[make.team(cast.acme, "others", members=[cast.dee])])
    make.release(billing, "2.0")
    assert brings(project=billing) == []


def test_who_watches_hears_of_it_and_learns_why_and_how_to_stop(
    session, cast, press, brings, acts, mailbox, told, run_jobs, now
):
    preferring.choose(session, cast.bob, "workflow", "participating", via="web", now=now)
    preferring.choose(session, cast.cy, "workflow", "participating", via="web", now=now)
    session.commit()
    press(cast.bob)
    brings()
    told()
    issue_id = session.scalars(select(Subscription.issue_id)).one()
    acts.comment(session.get(Issue, issue_id), "Look at this", by=cast.alice)
    run_jobs()
    assert told("comment") == ["bob"]
    text = mailbox(to=cast.bob)[-1].text
    because = "because you watched release 2.0, in which this issue was first seen."
    assert because in " ".join(text.split())
    assert "/acme/shop/releases/2.0/#watch" in text
    assert "Unsubscribe from this issue" in text


def test_stopping_ends_what_it_brought_unless_something_else_ties(session, make, cast, press, brings, now):
    press(cast.bob)
    brings()
    brings(title="ValueError: commented")
    _, commented = session.scalars(select(Subscription).order_by(Subscription.issue_id))
    commented.reasons = [*commented.reasons, "commented"]
    session.commit()
    assert press(cast.bob, "stopped").status_code == 303
    assert follows(session) == [("Bob", ["commented"])]
    assert session.scalars(select(ReleaseWatch)).all() == []
    assert brings(title="TypeError: unheard") == [("Bob", ["commented"])]
    said = [(row.category, row.detail["new"]) for row in session.scalars(select(SettingAudit))]
    assert said == [("watch", "24 hours"), ("watch", "off")]


def test_who_left_an_issue_is_not_brought_back_by_stopping_or_watching(session, cast, press, brings, now):
    press(cast.bob)
    brings()
    row = session.scalars(select(Subscription)).one()
    subscribing.unsubscribe(session, session.get(Issue, row.issue_id), user=cast.bob, now=now, via="web")
    session.commit()
    press(cast.bob, "stopped")
    press(cast.bob)
    brings()
    assert session.scalars(select(Subscription.state)).one() == "unsubscribed"


def test_the_page_says_how_one_stands_to_it(session, as_user, cast, press, brings):
    def page(person=cast.bob):
        return as_user(person).page("/acme/shop/releases/2.0/").text

    assert "Watch this release" in page()
    assert "Stop watching" in press(cast.bob, headers=HTMX).text
    brings()
    assert "1 issue so far" in page()
    session.execute(delete(ReleaseWatch))
    session.commit()
    assert "You still follow 1 issue because of it" in page()
    assert "Stop following them" in page()
    assert "Watch this release" in page(cast.cy)


def test_watching_twice_is_one_watch_that_lasts_longer(session, cast, press):
    press(cast.bob)
    earlier(session, timedelta(hours=5))
    before = session.scalars(select(ReleaseWatch.until)).one()
    press(cast.bob)
    assert session.scalars(select(ReleaseWatch.until)).one() - before > timedelta(hours=4)


@pytest.mark.parametrize(("person", "state", "status"), [("charlie", "watched", 404), ("bob", "no", 400)])
def test_what_is_no_wish_or_out_of_sight_is_refused(session, cast, press, person, state, status):
    assert press(getattr(cast, person), state).status_code == status
    assert session.scalars(select(ReleaseWatch)).all() == []
