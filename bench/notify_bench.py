"""What deciding costs: the evaluator alone, and a batch of issues planned, summed up and written.

`python -m bench.notify_bench [--database URL] [--issues N] [--people N]`. Without a database it makes an
SQLite file of its own and removes it; a given one must have Tocsin's tables and may be written to. The
longest transaction is how long others may have to wait for SQLite's write lock.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.orm import Session

import app.db  # noqa: F401 - prepares SQLite connections as the application does
from app.clock import now
from app.domain import routing
from app.domain.kinds import KINDS
from app.domain.preferences import Choices
from app.domain.routing import Happening, Person, Reason
from app.models import Base, Issue, Notice, Project, User
from app.services.issues import resolving
from app.services.issues.timeline import Batch
from app.services.mails import delivering
from app.services.notices import notifying, outbox
from app.services.people import accounts, workspaces
from app.services.preferences import preferring

ROUNDS = 5


def main() -> None:
    options = _options()
    print(f"{'the evaluator, a person':44}{_evaluator_microseconds():10.2f} µs")
    with _engine(options.database) as engine:
        batch = _bulk_action(engine, options.issues, options.people)
        _plan(engine, batch)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="such as postgresql+psycopg://USER@HOST/NAME")
    parser.add_argument("--issues", type=int, default=1000, help="issues of one bulk action (1000)")
    parser.add_argument("--people", type=int, default=10, help="members of their project (10)")
    return parser.parse_args()


def _evaluator_microseconds() -> float:
    """For people who pass every gate, which takes longest."""
    what = Happening(KINDS["comment"], actor_id=1)
    crowd = [Person(number, frozenset({Reason.WORKFLOW_ALWAYS}), Choices()) for number in range(2, 10_002)]
    return min(_seconds(lambda: routing.plan(what, crowd)) for _ in range(ROUNDS)) / len(crowd) * 1e6


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _engine(url: str | None) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(url or f"sqlite:///{Path(folder) / 'bench.db'}")
        if url is None:
            Base.metadata.create_all(engine)
        yield engine
        engine.dispose()


def _bulk_action(engine: Engine, issues: int, people: int) -> str:
    """The name of the batch: somebody resolved so many issues of a project with so many members."""
    at = now()
    mark = f"{at:%H%M%S}"
    with Session(engine, expire_on_commit=False) as session, session.begin():
        crowd = [_person(session, mark, number, at) for number in range(people + 1)]
        organization = workspaces.create_organization(
            session, slug=f"bench-{mark}", name="Bench", owner=crowd[0], now=at
        )
        team = workspaces.create_team(session, organization, slug="bench", now=at)
        for each in crowd:
            if each is not crowd[0]:
                workspaces.add_member(session, organization, each, role="member", now=at)
            workspaces.add_to_team(session, team, each, now=at)
        project = workspaces.create_project(
            session, organization, slug="bench", name="Bench", platform="python", teams=[team], now=at
        )
        batch = Batch(f"b_bench{mark}")
        for issue in _issues(session, project, issues):
            resolving.resolve(session, issue, by=crowd[0], now=at, batch=batch)
    return batch.name


def _person(session: Session, mark: str, number: int, at: datetime) -> User:
    address = f"person.{mark}.{number}@example.org"
    return accounts.create_user(session, email=address, name=f"Person {number}", verified=True, now=at)


def _issues(session: Session, project: Project, count: int) -> Sequence[Issue]:
    at = now()
    made = [
        Issue(
            project=project,
            number=number,
            short_id=f"BENCH-{number}",
            title=f"KeyError: {number}",
            level="error",
            details={},
            active_at=at,
            first_seen=at,
            last_seen=at,
        )
        for number in range(1, count + 1)
    ]
    session.add_all(made)
    session.flush()
    return made


def _plan(engine: Engine, batch: str) -> None:
    instance = preferring.Defaults({})
    statements = _counting(engine)
    began = time.perf_counter()
    with Session(engine) as session:
        ids = session.scalars(select(Notice.id).where(Notice.batch == batch)).all()
        [group] = outbox.groups(session, ids, now=now())
        survey = notifying.survey(session, group, now=now(), instance=instance)
    print(f"{'looking at the batch as a whole':44}{time.perf_counter() - began:10.2f} s")
    longest, delivered, count = 0.0, [], 0
    for part in group.parts(survey.size):
        start = time.perf_counter()
        with Session(engine.execution_options(writes=True)) as session, session.begin():
            delivered += notifying.plan_part(session, batch, part, survey.told, now=now(), instance=instance)
        longest, count = max(longest, time.perf_counter() - start), count + 1
    print(f"{f'planning {len(ids)} notices in all':44}{time.perf_counter() - began:10.2f} s")
    print(f"{f'the longest of {count} transactions':44}{longest * 1000:10.0f} ms")
    print(f"{'statements':44}{statements['count']:10}")
    print(f"{'messages':44}{len(delivered):10}")
    _load(engine, delivered)


def _load(engine: Engine, delivery_ids: Sequence[int]) -> None:
    began = time.perf_counter()
    with Session(engine) as session:
        found = delivering.load(session, delivery_ids)
        carried = sum(len(delivery.carried) for delivery in found)
    print(f"{f'loading them with their {carried} verdicts':44}{time.perf_counter() - began:10.2f} s")


def _counting(engine: Engine) -> dict[str, int]:
    counted = {"count": 0}

    @event.listens_for(engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        counted["count"] += 1

    return counted


if __name__ == "__main__":
    main()
