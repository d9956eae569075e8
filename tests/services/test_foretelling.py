"""Who would hear of a change: what is foretold is what happens."""

import pytest
from sqlalchemy import select

from app.models import Notice, QuietHours, Verdict
from app.services.issues import assigning, commenting, issue_facts
from app.services.notices import foretelling, notifying
from app.services.notices.foretelling import Circumstances
from app.services.preferences import preferring

pytestmark = pytest.mark.both_databases


@pytest.fixture
def how(session, cast, now):
    return Circumstances(cast.alice, now, preferring.defaults(session, workflow="always"))


def names(users):
    return [user.name for user in users]


def told_of_last(session, how):
    """Whom the evaluator tells of the notice that was made last."""
    notice = session.scalars(select(Notice).order_by(Notice.id.desc()).limit(1)).one()
    notifying.plan(session, [notice.id], now=how.now, instance=how.instance)
    sent = select(Verdict.subject_id).where(Verdict.notice_id == notice.id, Verdict.outcome == "send")
    return set(session.scalars(sent))


@pytest.fixture
def mixed(make, cast, issue):
    """Bob hears of what he follows only, Cy left the issue."""
    make.choice(cast.bob, "workflow", "participating")
    make.subscription(issue, cast.cy, state="unsubscribed")


TEXTS = {
    "nobody named": ("It began today.", []),
    "somebody named": ("@bob: look.", ["Bob"]),
    "who had left": ("@cy: look.", ["Cy"]),
    "a team": ("#shop-team: look.", ["Cy", "Bob"]),
    "one by name, one by team": ("@cy and #shop-team", ["Cy", "Bob"]),
    "a name in code": ("`@bob`", []),
}


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_what_is_foretold_of_a_comment_is_what_happens(session, issue, cast, how, text, expected):
    foretold = foretelling.of_comment(session, issue, text, how)
    assert names(foretold.told) == expected
    commenting.comment(session, issue, text=text, by=cast.alice, now=how.now)
    assert told_of_last(session, how) == {user.id for user in foretold.told}


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("to", ["bob", "cy", "team", None])
def test_what_is_foretold_of_an_assignment_is_what_happens(session, issue, cast, how, to):
    assigning.assign(session, issue, to=cast.alice, by=cast.bob, now=how.now)
    new = getattr(cast, to) if to else None
    foretold = foretelling.of_handover(session, issue, new, how)
    assigning.assign(session, issue, to=new, by=cast.alice, now=how.now)
    assert told_of_last(session, how) == {user.id for user in foretold.told}


@pytest.mark.usefixtures("mixed")
def test_nothing_is_written_by_asking(session, issue, how):
    foretelling.of_comment(session, issue, "@bob @cy #shop-team", how)
    assert not session.new
    assert not session.dirty
    assert session.scalar(select(Notice.id)) is None


@pytest.mark.usefixtures("mixed")
def test_who_is_not_told_is_named_without_their_settings(session, issue, how):
    foretold = foretelling.of_comment(session, issue, "It began today.", how)
    assert {user.name: why for user, why in foretold.untold} == {
        "Bob": "Their own settings.",
        "Cy": "Their own settings.",
    }


def test_whoever_does_it_is_not_counted_unless_they_hear_of_their_own(session, make, issue, cast, how):
    assert names(foretelling.of_kind(session, issue, "resolved", how).told) == ["Bob", "Cy"]
    make.choice(cast.alice, "own_activity", "on")
    assert names(foretelling.of_kind(session, issue, "resolved", how).told) == ["Alice", "Bob", "Cy"]


def test_a_name_without_a_part_in_the_project_is_warned_of(session, issue, cast, how):
    foretold = foretelling.of_comment(session, issue, "@dee @charlie @bob", how)
    assert foretold.warning.startswith("@dee has no part in Shop and would not be told.")
    assert names(foretold.told) == ["Bob", "Cy"]


def test_who_is_in_quiet_hours_is_nobody_elses_business(session, make, issue, cast, how):
    today = [how.now.weekday()]
    session.add(QuietHours(user_id=cast.bob.id, days=today, start_minute=0, end_minute=0))
    session.flush()
    foretold = foretelling.of_comment(session, issue, "It began today.", how)
    assert (names(foretold.told), names(foretold.held)) == (["Bob", "Cy"], [])
    around = issue_facts.who_follows(session, issue, cast.cy)
    for reader, words in ((cast.cy, {"gets email"}), (cast.bob, {"gets email", "held for now"})):
        asked = issue_facts.reached(session, issue, around, reader=reader, now=how.now, instance=how.instance)
        assert {each.words for each in asked.participants} <= words


def test_one_is_told_of_ones_own_quiet_hours(session, make, issue, cast, how):
    session.add(QuietHours(user_id=cast.alice.id, days=[how.now.weekday()], start_minute=0, end_minute=0))
    make.choice(cast.alice, "own_activity", "on")
    foretold = foretelling.of_comment(session, issue, "It began today.", how)
    assert names(foretold.held) == ["Alice"]


def test_what_somebody_did_for_themselves_is_not_given_as_the_reason_to_others(session, make, issue, cast):
    make.subscription(issue, cast.cy, "bookmarked")
    make.subscription(issue, cast.bob, "resubscribed", "commented")

    def reasons(reader):
        found = issue_facts.who_follows(session, issue, reader).participants
        return {each.user.name: list(each.reasons) for each in found}

    assert reasons(cast.alice)["Bob"] == ["commented"]
    assert reasons(cast.bob)["Bob"] == ["resubscribed", "commented"]
    assert reasons(cast.alice)["Cy"] == ["follows"]
    assert reasons(cast.cy)["Cy"] == ["bookmarked"]
