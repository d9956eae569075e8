"""A replay without a change is the history: who was told, who was not and why, and how many messages."""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import rule_content
from app.domain.errors import Refused
from app.domain.quiet import Window
from app.models import Issue, Notice, Pause, Verdict
from app.services.calm import quieting
from app.services.issues import assigning, bookmarking, commenting, ignoring, reopening, resolving, timeline
from app.services.owners import entrusting
from app.services.preferences import muting, preferring, subscribing
from app.services.rules import rule_muting, ruling
from app.services.simulating import replaying
from app.services.simulating.replaying import Budget
from tests.support.living import Life
from tests.support.ringing import make_rule

HOUR = timedelta(hours=1)
CHOICES = [("alerts", "off"), ("alerts", None), ("workflow", "participating"), ("workflow", None)]
ENDLESS = Budget(seconds=600)
TITLES = [f"{name}: gone" for name in ("KeyError", "ValueError", "Timeout", "OSError", "Refused")]
EVERYONE = {"id": "mail", "target": "owners", "fallback": "all"}


@pytest.fixture
def life(session, shop, now):
    return Life(session, shop, now)


@pytest.fixture
def replay(session, life):
    def replayed(days=30, **options):
        options = {"budget": ENDLESS, **options}
        return replaying.replay(
            session, life.project, days=days, instance=life.instance, now=life.now, **options
        )

    return replayed


@pytest.fixture
def arranged(session, make, cast, shop, now, hook):
    """Several rules, owners, an integration, quiet hours: what makes a difference to who is told."""
    make.owners(shop, "path:shop/* bob@example.org\ntags.browser:Safari* #shop-team\n", fallthrough=True)
    make_rule(session, shop, "regression", now=now, name="Back", actions=[EVERYONE], frequency_minutes=0)
    make_rule(
        session,
        shop,
        {"id": "event_count", "value": 3, "interval": "1h"},
        now=now,
        name="Often",
        actions=[{"id": "mail", "target": "assignee", "fallback": "none"}],
        frequency_minutes=15,
    )
    make_rule(
        session,
        shop,
        "every_event",
        now=now,
        name="Fatal",
        filters=[{"id": "level", "match": "gte", "level": "fatal"}],
        actions=[EVERYONE],
        interrupt_reason="money",
        required_reason="money",
        frequency_minutes=5,
    )
    make_rule(
        session,
        shop,
        "every_event",
        now=now,
        name="Hook",
        actions=[{"id": "integration", "integration": hook.id}],
        frequency_minutes=10,
    )
    session.flush()
    quieting.save(session, cast.cy, Window(frozenset(range(7)), 19 * 60, 7 * 60), now=now, via="web")
    session.commit()


def acts(session, cast, chance, make):
    """What people do, each with an issue and a moment."""
    people = [cast.alice, cast.bob, cast.cy]

    def someone():
        return chance.choice(people)

    def some_issues(issue, now):
        batch = timeline.Batch(f"b_{chance.random()}"[:20])
        for each in session.scalars(select(Issue).order_by(Issue.id).limit(3)):
            resolving.resolve(session, each, by=cast.alice, now=now, batch=batch)

    def some_rule():
        return chance.choice(ruling.of_project(session, cast.shop))

    def maintenance(now):
        ends = {"starts_at": now, "ends_at": now + timedelta(hours=2), "created_at": now}
        session.add(Pause(project_id=cast.shop.id, reason="moving", **ends))

    return {
        "resolve": lambda issue, now: resolving.resolve(session, issue, by=someone(), now=now),
        "resolve several": some_issues,
        "reopen": lambda issue, now: reopening.reopen(session, issue, by=someone(), now=now),
        "ignore": lambda issue, now: ignoring.ignore(session, issue, by=someone(), now=now),
        "assign": lambda issue, now: assigning.assign(session, issue, to=someone(), by=someone(), now=now),
        "take away": lambda issue, now: assigning.assign(session, issue, to=None, by=someone(), now=now),
        "to the team": lambda issue, now: assigning.assign(
            session, issue, to=cast.team, by=someone(), now=now
        ),
        "comment": lambda issue, now: commenting.comment(
            session, issue, text=f"Hm {chance.random()}, @cy?", by=someone(), now=now
        ),
        "leave": lambda issue, now: subscribing.unsubscribe(
            session, issue, user=someone(), now=now, via="web"
        ),
        "follow": lambda issue, now: subscribing.subscribe(
            session, issue, user=someone(), now=now, via="web"
        ),
        "bookmark": lambda issue, now: bookmarking.add(session, issue, user=someone(), now=now),
        "mute": lambda issue, now: muting.mute(
            session, issue, user=someone(), until=now + timedelta(hours=3), now=now
        ),
        "unmute": lambda issue, now: muting.unmute(session, issue, user=someone(), now=now),
        "choose": lambda issue, now: preferring.choose(
            session,
            someone(),
            *chance.choice(
                [("alerts", "off"), ("alerts", None), ("workflow", "participating"), ("workflow", None)]
            ),
            project=cast.shop,
            via="web",
            now=now,
        ),
        "batch": lambda issue, now: preferring.choose(
            session, someone(), "batching", chance.choice(["15", "60", None]), via="web", now=now
        ),
        "maintain": lambda issue, now: maintenance(now),
        "be on call": lambda issue, now: quieting.on_call(
            session, cast.cy, now + timedelta(hours=9), now=now, via="web"
        ),
        "mute a rule": lambda issue, now: (
            rule_muting.mute(
                session,
                some_rule(),
                user=cast.bob,
                until=now + timedelta(hours=8),
                by=cast.bob,
                via="web",
                now=now,
            )
            if chance.random() < 0.5
            else None
        ),
        "mute a rule for all": lambda issue, now: rule_muting.mute(
            session,
            some_rule(),
            user=None,
            until=now + timedelta(minutes=50),
            by=cast.bob,
            via="web",
            now=now,
        ),
        "change a rule": lambda issue, now: ruling.change(
            session,
            rule := some_rule(),
            replace(rule_content.of(rule), name=f"N{chance.random()}", actions=[EVERYONE]),
            by=cast.alice,
            via="web",
            now=now,
        ),
        "change owners": lambda issue, now: entrusting.save(
            session,
            cast.shop,
            entrusting.Wishes(raw=chance.choice(["path:shop/* cy@example.org", "path:none bob@example.org"])),
            by=cast.alice,
            via="page",
            now=now,
        ),
        "kinds": lambda issue, now: preferring.choose(
            session, someone(), "workflow", chance.choice(["off", None]), kind="comments", via="web", now=now
        ),
    }


def live(session, make, cast, life, chance, steps):
    happenings = acts(session, cast, chance, make)
    for _ in range(steps):
        life.pass_by(timedelta(seconds=chance.choice([7, 40, 131, 600, 2311])))
        if chance.random() < 0.03:  # many new issues at once
            for number in range(chance.choice([8, 25])):
                life.event(f"{chance.choice('ABCDEFGH')}{number}x{chance.randrange(99)}: new")
                life.pass_by(timedelta(seconds=3))
        if chance.random() < 0.55:
            level = chance.choice(["error", "error", "error", "warning", "fatal"])
            browser = chance.choice(["Safari 12", "Firefox 128"])
            life.event(chance.choice(TITLES), level=level, tags={"browser": browser})
            continue
        issues = session.scalars(select(Issue).order_by(Issue.id)).all()
        if issues:
            do, issue = happenings[chance.choice(list(happenings))], chance.choice(issues)
            with suppress(Refused):
                life.act(lambda now, do=do, issue=issue: do(issue, now))
    session.commit()


def disagreements(session, replayed, again):
    names = {notice.public_id: notice.kind for notice in session.scalars(select(Notice))}
    recorded = replayed.compared.before.answers
    keys = sorted(recorded.keys() | again.keys())
    return [
        (names.get(key.notice, key.notice), key, recorded.get(key), again.get(key))
        for key in keys
        if recorded.get(key) != again.get(key)
    ]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_a_replay_without_a_change_equals_history(session, make, cast, arranged, life, replay, seed):
    live(session, make, cast, life, random.Random(seed), 45)
    found = replay()
    assert found.compared.asked > 50
    assert found.compared.agreed == found.compared.asked, disagreements(session, found, found.again)
    assert found.compared.after == found.compared.before
    assert all(each.before == each.after for each in found.counts.values())
    stored = Counter(
        (row.subject, row.subject_id, row.outcome, row.code) for row in session.scalars(select(Verdict))
    )
    counted = Counter(
        (key.subject.kind, key.subject.id, told.outcome, told.code)
        for key, told in found.compared.after.answers.items()
    )
    assert counted == stored
