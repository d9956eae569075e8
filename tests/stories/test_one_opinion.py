"""Explain, the answer to "why?", history and API say what the evaluator recorded, and nothing else."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import delivery_states, routing
from app.domain.quiet import Window
from app.domain.routing import Outcome
from app.models import Delivery, Notice, Verdict
from app.services.calm import quieting
from app.services.issues import assigning, commenting, resolving
from app.services.notices import answering, considering, explaining, notifying, recalling, verdicts
from app.services.preferences import muting, preferring, subscribing

VALUES = {"alerts": ("on", "off"), "workflow": ("always", "participating", "never")}


def shuffle_settings(session, people, issue, chance, now):
    """Everybody chooses something, or nothing."""
    for person in people:
        for category, values in (
            ("alerts", ("on", "off")),
            ("workflow", ("always", "participating", "never")),
        ):
            for project in (None, issue.project):
                if chance.random() < 0.4:
                    value = chance.choice(values)
                    preferring.choose(session, person, category, value, project=project, via="web", now=now)
        if chance.random() < 0.3:
            preferring.choose(session, person, "own_activity", "on", via="web", now=now)
        if chance.random() < 0.3:
            kind = chance.choice(["comments", "resolution", "assignment"])
            preferring.choose(session, person, "workflow", "off", kind=kind, via="web", now=now)
        act = chance.choice([None, None, subscribing.subscribe, subscribing.unsubscribe])
        if act:
            act(session, issue, user=person, now=now, via="web")
        if chance.random() < 0.2:
            muting.mute(session, issue, user=person, until=now + timedelta(days=1), now=now)
        if chance.random() < 0.3:
            window = Window(frozenset(range(7)), now.hour * 60, (now.hour * 60 + 300) % 1440)
            quieting.save(session, person, window, now=now, via="web")


def act(session, people, issue, chance, now):
    """Things happen to the issue."""
    somebody = lambda: chance.choice(people)  # noqa: E731
    assigning.assign(session, issue, to=somebody(), by=somebody(), now=now)
    commenting.comment(session, issue, text=f"@{somebody().handle} look", by=somebody(), now=now)
    resolving.resolve(session, issue, by=somebody(), now=now)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_people_chose_all_views_say_what_was_recorded(session, make, cast, issue, now, seed):
    chance, people = random.Random(seed), [cast.alice, cast.bob, cast.cy]
    shuffle_settings(session, people, issue, chance, now)
    make.notice(issue, event_id=make.event(issue).event_id)
    act(session, people, issue, chance, now)
    instance = preferring.defaults(session, workflow="always")
    for notice in session.scalars(select(Notice).order_by(Notice.id)).all():
        what = considering.happenings(session, [notice])[notice]
        around = considering.people_around(session, notice, instance, now=now)
        expected = {each.person_id: each for each in routing.plan(what, around)}
        notifying.plan(session, [notice.id], now=now, instance=instance)
        session.flush()
        session.expire_all()
        check(session, notice, people, expected, now)


def check(session, notice, people, expected, now):
    """Every reader's view of every person, against what the evaluator said."""
    stored = session.scalars(select(Verdict).where(Verdict.notice_id == notice.id)).all()
    if notice.gate_code:
        assert stored == []
        return
    assert {row.subject_id: (row.outcome, row.code) for row in stored} == {
        id_: (verdict.outcome, verdict.code) for id_, verdict in expected.items()
    }
    for reader in people:
        explanation = explaining.explain(session, notice, reader, now=now)
        for line in explanation.lines:
            verdict = expected[line.person_id]
            assert line.code in (verdict.code, "")
            assert line.code or (line.person_id != reader.id and reader.handle != "alice")
            assert (line.mark in explaining.UNTOLD) == (verdict.outcome in (Outcome.SKIP, Outcome.COLLAPSE))
            if line.ladder and verdict.outcome != Outcome.SEND:
                assert line.ladder[-1].shut
        shown = verdicts.of(session, [notice], reader)[notice.id]
        assert {each.subject_id: each.outcome for each in shown} == {
            id_: verdict.outcome for id_, verdict in expected.items()
        }
    for person in people:
        [reply, *_] = [
            each
            for each in answering.why(session, notice.issue, person, own=True, now=now)
            if each.notice == notice.public_id
        ]
        assert reply.code == expected[person.id].code
        [told] = [
            each
            for each in recalling.told(session, person, recalling.Sought(), now=now)
            if each.notice.id == notice.id
        ]
        assert told.line.code == expected[person.id].code


def test_the_mail_server_agrees_person_by_person(session, cast, acts, report, run_jobs, mailbox, make, now):
    """Whom Explain calls told got exactly one mail, and nobody else got any."""
    chance, people = random.Random(7), [cast.alice, cast.bob, cast.cy]
    preferring.choose(session, cast.cy, "alerts", "off", via="web", now=now)
    preferring.choose(session, cast.bob, "workflow", "participating", via="web", now=now)
    report()
    run_jobs()
    issue = session.scalars(select(Notice)).one().issue
    for by in (cast.alice, cast.bob):
        acts.comment(issue, f"what is this, {chance.random()}?", by=by)
        run_jobs()
    acts.resolve(issue, by=cast.cy)
    run_jobs()
    session.expire_all()
    told = {person.email: 0 for person in people}
    for notice in session.scalars(select(Notice)).all():
        for line in explaining.explain(session, notice, cast.alice, now=now).lines:
            if line.mark == "sent":
                told[line.delivery.address] += 1
            else:
                assert line.delivery is None
    assert told == {person.email: len(mailbox(person)) for person in people}
    accepted = select(Delivery).where(Delivery.state == delivery_states.ACCEPTED)
    assert sum(told.values()) == len(session.scalars(accepted).all())
