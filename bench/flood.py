"""What a flood of errors sends to people, and when: `python -m bench.flood [--storms off] [--frequency N]`.

10,000 events of one new issue within a minute; then, in another project, 200 new issues within a minute, with
a rule for every event beside the usual one: `--frequency` is how many minutes it rests for an issue (5; 0 is
not at all). Time is made up, second by second, for three hours: the digester, the planner and the sweep do
what they do in those seconds. Printed are the mails of each person with the minute and second at which they
went out, and the longest any of the steps took. Without a database it makes an SQLite file of its own and
removes it; one that `--database` names must have Tocsin's tables and may be written to.

One person is usual, one has a window of 15 minutes, one is on call, one has quiet hours for two hours.
"""

import argparse
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.domain import storms
from app.models import AlertRule, Delivery, Notice, OnCall, Project, QuietHours, User
from app.services.calm import holding, storming
from app.services.events import digesting
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.mails import delivering
from app.services.notices import notifying, outbox
from app.services.people import accounts, workspaces
from app.services.preferences import preferring
from bench import payloads
from bench.digest_bench import _engine

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECOND, TICK, STORM_TICK, LASTS = timedelta(seconds=1), 5, 30, 3 * 3600
FLOOD = 60  # seconds
INSTANCE = preferring.Defaults({})
PEOPLE = ("usual", "quarter", "on-call", "quiet")


@dataclass
class World:
    """A project, its people, and what each step cost at most."""

    engine: Engine
    project: Project
    people: Mapping[int, str]
    longest: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def step(self, name: str) -> Iterator[Session]:
        began = time.perf_counter()
        with Session(self.engine.execution_options(writes=True)) as session, session.begin():
            yield session
        self.longest[name] = max(self.longest[name], time.perf_counter() - began)


def main() -> None:
    options = _options()
    if options.storms == "off":
        storms.MOST = 10**9
    with _engine(options.database) as engine:
        frequency = options.frequency
        _run("10,000 events of one new issue", _world(engine, frequency), lambda n: "one", 10_000)
        _run("200 new issues", _world(engine, frequency), lambda n: f"issue {n}", 200)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="such as postgresql+psycopg://USER@HOST/NAME")
    parser.add_argument("--storms", choices=("on", "off"), default="on", help="with or without storms (on)")
    parser.add_argument("--frequency", type=int, default=5, help="minutes of the rule for every event (5)")
    return parser.parse_args()


def _world(engine: Engine, frequency: int) -> World:
    mark = uuid.uuid4().hex[:8]
    with Session(engine, expire_on_commit=False) as session, session.begin():
        people = {name: _person(session, mark, name) for name in PEOPLE}
        organization = workspaces.create_organization(
            session, slug=f"flood-{mark}", name="Flood", owner=people["usual"], now=BEGIN
        )
        team = workspaces.create_team(session, organization, slug="all", now=BEGIN)
        for each in people.values():
            if each is not people["usual"]:
                workspaces.add_member(session, organization, each, role="member", now=BEGIN)
            workspaces.add_to_team(session, team, each, now=BEGIN)
        project = workspaces.create_project(
            session, organization, slug="shop", name="Shop", platform="python", teams=[team], now=BEGIN
        )
        _every_event(session, project, frequency)
        _choices(session, people)
    return World(engine, project, {user.id: name for name, user in people.items()})


def _person(session: Session, mark: str, name: str) -> User:
    address = f"{name}.{mark}@example.org"
    return accounts.create_user(session, email=address, name=name, verified=True, now=BEGIN)


def _every_event(session: Session, project: Project, frequency: int) -> None:
    """Beside the rule for new issues that every project begins with."""
    owners = {"id": "mail", "target": "owners", "fallback": "project"}
    session.add(
        AlertRule(
            project_id=project.id,
            name="Every event",
            conditions=[{"id": "every_event"}],
            actions=[owners],
            frequency_minutes=frequency,
            created_at=BEGIN,
        )
    )


def _choices(session: Session, people: Mapping[str, User]) -> None:
    preferring.choose(session, people["quarter"], "batching", "15", via="web", now=BEGIN)
    on_call, quiet = people["on-call"], people["quiet"]
    session.add(OnCall(user_id=on_call.id, since=BEGIN, until=BEGIN + timedelta(days=1)))
    start = BEGIN.hour * 60
    session.add(QuietHours(user_id=quiet.id, days=list(range(7)), start_minute=start, end_minute=start + 120))


def _run(title: str, world: World, group: Callable[[int], str], events: int) -> None:
    for second in range(LASTS):
        at = BEGIN + second * SECOND
        if second < FLOOD:
            first, last = (events * edge // FLOOD for edge in (second, second + 1))
            _digest(world, [_entry(world.project, group(n), at) for n in range(first, last)], at)
            _plan(world, at)
        if second % TICK == 0:
            _sweep(world, at, with_storms=second % STORM_TICK == 0)
    _report(title, world)


def _entry(project: Project, group: str, at: datetime) -> Entry:
    event = {**payloads.event(0, at), "fingerprint": [group], "event_id": uuid.uuid4().hex}
    body = json.dumps(event).encode()
    head = json.dumps({"event_id": event["event_id"]}).encode()
    item = json.dumps({"type": "event", "length": len(body)}).encode()
    return Entry(project.id, ENVELOPE, at, b"\n".join((head, item, body)), event_id=event["event_id"])


def _digest(world: World, entries: Sequence[Entry], at: datetime) -> None:
    with world.step("digesting a second of it") as session:
        digesting.digest(session, entries, now=at)


def _plan(world: World, at: datetime) -> None:
    """As the job does, which is rung for at once."""
    with Session(world.engine) as session:
        waiting = session.scalars(select(Notice.id).where(outbox.is_waiting(at))).all()
        lots = outbox.lots(session, outbox.groups(session, waiting, now=at))
    for lot in lots:
        name = "planning one event" if len(lot) == 1 else "planning several events"
        with world.step(name) as session:
            notifying.plan_lot(session, [group.notice_ids for group in lot], now=at, instance=INSTANCE)


def _sweep(world: World, at: datetime, *, with_storms: bool) -> None:
    with Session(world.engine) as session:
        due = holding.due(session, now=at, limit=1000)
        open_storms = storming.open_ids(session) if with_storms else ()
    for storm_id in open_storms:
        with world.step("going on with a storm") as session:
            notifying.store(session, storming.go_on(session, storm_id, now=at, instance=INSTANCE), now=at)
    for digest_id in due:
        with world.step("closing a digest") as session:
            holding.send_due(session, digest_id, now=at, instance=INSTANCE)
    if with_storms:
        _plan(world, at)


def _report(title: str, world: World) -> None:
    print(f"\n{title} within a minute")
    with Session(world.engine) as session:
        found = select(Delivery).where(Delivery.user_id.in_(world.people)).order_by(Delivery.id)
        mails = defaultdict(list)
        for delivery in session.scalars(found):
            carried = len(delivering.load(session, [delivery.id])[0].carried)
            mails[delivery.user_id].append((delivery.created_at - BEGIN, delivery.kind, carried))
    for user_id, name in world.people.items():
        theirs = mails[user_id]
        print(f"  {name:9}{len(theirs):4} mails  {_times(theirs)}")
    for name, seconds in world.longest.items():
        print(f"  longest {name:26}{seconds * 1000:8.0f} ms")


def _times(mails: Sequence[tuple[timedelta, str, int]]) -> str:
    """The first few: "0:00 alert.new, 5:00 digest of 199"."""
    said = [
        f"{int(after.total_seconds()) // 60}:{int(after.total_seconds()) % 60:02} {kind}"
        + (f" of {carried}" if carried > 1 else "")
        for after, kind, carried in mails
    ]
    return ", ".join(said[:6] + (["…", *said[-6:]] if len(said) > 12 else said[6:]))


if __name__ == "__main__":
    main()
