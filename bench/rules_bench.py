"""What alert rules that count cost an event: `python -m bench.rules_bench [--database URL] [--events N]`.

Stores so many events (1,000,000) of some issues over 60 days, then runs batches past no rule and past 20
that count over every span, in all environments and in one, with limits that are never met: the dearest
case, since a rule that fires rests afterwards. Then past 20 that compare events, and past 20 that compare
users, with what there was earlier. Times are in milliseconds an event, the median of several batches, and
the dearest of the batches; those of the CPU leave out what a server of the database does. Without a
database it makes an SQLite file of its own and removes it; a given one must have Tocsin's tables and may be
written to.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, text
from sqlalchemy.orm import Session

from app import memory
from app.clock import now
from app.domain.rule_parts import PERCENT, SPANS
from app.models import AlertRule, Event, Issue, IssueCount, IssueEnvironmentUser, IssueUser, Project
from app.services.events import digesting, event_body
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.rules import alerting
from app.services.rules.ceilings import Ceilings
from bench import payloads
from bench.digest_bench import _engine, _project

DAYS = 60
PEOPLE = 50_000
ENVIRONMENTS = ("production", "production", "production", "staging")
RULES = 20
CHUNK = 5000
# How many events a batch → how many batches are measured.
BATCHES = {1: 60, 20: 20, 500: 5}
CEILINGS = Ceilings()
COLUMNS = ("rules, wall", "rules, CPU", "digest, wall", "digest, CPU", "dearest rules")
_numbers = count(1)


def main() -> None:
    options = _options()
    memory.settle()
    with _engine(options.database) as engine:
        project = _project(engine)
        at = now()
        _digest(engine, project, payloads.ISSUES, at - timedelta(minutes=1))
        with Session(engine.execution_options(writes=True)) as session, session.begin():
            session.execute(delete(AlertRule).where(AlertRule.project_id == project.id))
        _fill(engine, project, options.events, at)
        engine.dispose()  # SQLite folds its log in when the last connection closes
        print(f"{'rules':20}{'events a batch':>16}" + "".join(f"{name:>15}" for name in COLUMNS))
        for name, rows in _rules().items():
            _make_rules(engine, project, rows)
            _digest(engine, project, 500, now())
            for size, rounds in BATCHES.items():
                spent = [_digest(engine, project, size, now()) for _ in range(rounds)]
                figures = [statistics.median(each) / size for each in zip(*spent, strict=True)]
                figures.append(max(wall for wall, *_ in spent) / size)
                print(f"{name:20}{size:16}" + "".join(f"{figure:15.3f}" for figure in figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="such as postgresql+psycopg://USER@HOST/NAME")
    parser.add_argument("--events", type=int, default=1_000_000, help="events stored before (1,000,000)")
    return parser.parse_args()


def _fill(engine: Engine, project: Project, events: int, at: datetime) -> None:
    """Events without bodies, written past the digester; half of them belong to one issue."""
    chance = random.Random(1)
    with Session(engine) as session:
        found = select(Issue.id).where(Issue.project_id == project.id).order_by(Issue.id)
        issues = list(session.scalars(found))
    body = event_body.pack({})
    written = 0
    while written < events:
        rows = [_row(chance, project, issues, at, body) for _ in range(min(CHUNK, events - written))]
        with Session(engine.execution_options(writes=True)) as session, session.begin():
            session.connection().execute(insert(Event), rows)
        written += len(rows)
    with Session(engine.execution_options(writes=True)) as session, session.begin():
        _count(session, issues)
        if engine.dialect.name == "postgresql":  # which does so by itself, a while later
            session.execute(text("ANALYZE"))


def _row(
    chance: random.Random, project: Project, issues: list[int], at: datetime, body: bytes
) -> dict[str, Any]:
    moment = at - timedelta(days=DAYS) * chance.random() ** 2
    return {
        "project_id": project.id,
        "issue_id": issues[0] if chance.random() < 0.5 else chance.choice(issues),
        "event_id": f"{chance.getrandbits(128):032x}",
        "timestamp": moment,
        "received_at": moment,
        "level": "error",
        "platform": "python",
        "type": "error",
        "title": "PaymentError",
        "culprit": "",
        "environment": chance.choice(ENVIRONMENTS),
        "user_ident": f"id:{chance.randrange(PEOPLE)}",
        "hash": "0" * 32,
        "body": body,
    }


def _count(session: Session, issues: list[int]) -> None:
    """What the digester would have counted."""
    of_issues = Event.issue_id.in_(issues)
    for model in (IssueCount, IssueUser, IssueEnvironmentUser):
        session.execute(delete(model).where(model.issue_id.in_(issues)))
    for minutes in (1, 60):
        start = _start(session, minutes)
        counted = select(Event.issue_id, minutes, start, Event.environment, func.count()).where(of_issues)
        counted = counted.group_by(Event.issue_id, start, Event.environment)
        names = ["issue_id", "minutes", "start", "environment", "count"]
        session.execute(insert(IssueCount).from_select(names, counted))
    last = func.max(Event.received_at)
    met = select(Event.issue_id, Event.user_ident, last, last).where(of_issues, Event.user_ident.is_not(None))
    names = ["issue_id", "ident", "first_seen", "last_seen"]
    session.execute(insert(IssueUser).from_select(names, met.group_by(Event.issue_id, Event.user_ident)))
    here = select(Event.issue_id, Event.user_ident, Event.environment, last)
    here = here.where(of_issues, Event.user_ident.is_not(None))
    names = ["issue_id", "ident", "environment", "last_seen"]
    here = here.group_by(Event.issue_id, Event.user_ident, Event.environment)
    session.execute(insert(IssueEnvironmentUser).from_select(names, here))
    # Their limits are below what was ever seen, so that nothing is answered by that alone.
    session.execute(
        Issue.__table__.update().where(Issue.id.in_(issues)).values(times_seen=10**9, users_seen=10**9)
    )


def _start(session: Session, minutes: int) -> Any:
    if session.get_bind().dialect.name == "sqlite":
        kept, rest = (16, ":00.000000") if minutes == 1 else (13, ":00:00.000000")
        return func.substr(Event.received_at, 1, kept).concat(rest)
    return func.date_trunc("minute" if minutes == 1 else "hour", Event.received_at, "UTC")


def _rules() -> dict[str, list[dict[str, Any]]]:
    """A condition for each rule."""
    spans = list(SPANS)
    return {
        "none": [],
        f"{RULES} that count": [
            {
                "id": "event_count" if n % 3 else "user_count",
                "value": 900_000_000 if n % 3 else PEOPLE + n,
                "interval": spans[n % len(spans)],
            }
            for n in range(RULES)
        ],
        f"{RULES} compare events": [_comparison("event_count", n) for n in range(RULES)],
        f"{RULES} compare users": [_comparison("user_count", n) for n in range(RULES)],
    }


def _comparison(counted: str, n: int) -> dict[str, Any]:
    """Every span, with what it held every time earlier; grown by more than was ever seen."""
    spans, earlier = list(SPANS), list(SPANS)[1:]
    more = {"comparison": PERCENT, "earlier": earlier[n % len(earlier)]}
    return {"id": counted, "value": 10_000, "interval": spans[n % len(spans)], **more}


def _make_rules(engine: Engine, project: Project, conditions: list[dict[str, Any]]) -> None:
    with Session(engine.execution_options(writes=True)) as session, session.begin():
        session.execute(delete(AlertRule).where(AlertRule.project_id == project.id))
        for n, condition in enumerate(conditions):
            session.add(
                AlertRule(
                    project_id=project.id,
                    name=f"Rule {n}",
                    environment=None if n % 2 else "production",
                    conditions=[condition, {"id": "level", "match": "gte", "level": "warning"}],
                    filters=[{"id": "tag", "key": "region", "match": "ne", "value": "moon"}],
                    actions=[],
                    created_at=now(),
                )
            )


def _digest(engine: Engine, project: Project, size: int, at: datetime) -> tuple[float, ...]:
    """What the rules took of digesting a batch, and all of it, by the wall and of this process, in ms."""
    entries = []
    for _ in range(size):
        number = next(_numbers)
        body = payloads.body(number, at)
        entries.append(Entry(project.id, ENVELOPE, at, body, "gzip", event_id=f"{number:032x}"))
    with Session(engine.execution_options(writes=True)) as session, session.begin(), _timed() as rules:
        began = _clocks()
        batch = digesting.read_all(session, entries)
        digesting.keep(session, batch, now=at, ceilings=CEILINGS)
        return (*rules, *_since(began))


def _clocks() -> tuple[float, float]:
    return time.perf_counter() * 1e3, time.process_time() * 1e3


def _since(began: tuple[float, float]) -> list[float]:
    return [after - before for before, after in zip(began, _clocks(), strict=True)]


@contextmanager
def _timed() -> Iterator[list[float]]:
    """Measures `alerting.fire` while it lasts."""
    spent, fire = [0.0, 0.0], alerting.fire

    def timed(*args: Any, **named: Any) -> list[int]:
        began = _clocks()
        rung = fire(*args, **named)
        spent[:] = _since(began)
        return rung

    alerting.fire = timed
    try:
        yield spent
    finally:
        alerting.fire = fire


if __name__ == "__main__":
    main()
