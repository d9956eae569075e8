"""What digesting an event costs, step by step: `python -m bench.digest_bench [--database URL] [--batch N]`.

Times are CPU time of this process, the best of several rounds, in microseconds for each event. Without a
database it makes an SQLite file of its own and removes it; a given one must have Tocsin's tables and may be
written to.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

import app.db  # noqa: F401 - prepares SQLite connections as the application does
from app import memory
from app.clock import now
from app.domain import event as events
from app.domain import grouping
from app.domain.decoding import decode
from app.domain.envelope import parse
from app.domain.event import Receipt
from app.models import Base, Project
from app.services.events import digesting, event_body
from app.services.events.stream_entry import ENVELOPE, Entry
from app.services.people import workspaces
from bench import payloads

ROUNDS = 5
CAP = 100 << 20


def main() -> None:
    options = _options()
    memory.settle()
    with _engine(options.database) as engine:
        project = _project(engine)
        print(f"{'step':34}{'µs an event':>12}{'events/s':>12}")
        for name, cost in (*_thinking(), *_digesting(engine, project, options.batch)):
            print(f"{name:34}{cost:12.1f}{1e6 / cost:12.0f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="such as postgresql+psycopg://USER@HOST/NAME")
    parser.add_argument("--batch", type=int, default=500, help="events a transaction (500)")
    return parser.parse_args()


def _thinking() -> Iterator[tuple[str, float]]:
    at = now()
    body = payloads.body(1, at)
    plain = decode(body, "gzip", cap=CAP)
    payload = parse(plain).items[0].payload
    loaded = events.load(payload)
    receipt = Receipt("a" * 32, at)
    regular = events.regular(loaded, receipt)
    steps: dict[str, Callable[[], object]] = {
        f"unpack {len(body)} bytes of gzip": lambda: decode(body, "gzip", cap=CAP),
        "split and check the envelope": lambda: parse(plain),
        f"read {len(payload)} bytes of JSON": lambda: events.load(payload),
        "make regular, scrub, title, group": lambda: events.regular(loaded, receipt),
        "  of which group": lambda: grouping.group(regular.data),
        "pack for the database": lambda: event_body.of(regular),
    }
    for name, step in steps.items():
        yield name, _best(lambda step=step: [step() for _ in range(100)]) / 100  # type: ignore[misc]


def _digesting(engine: Engine, project: Project, size: int) -> Iterator[tuple[str, float]]:
    reading, keeping = [], []
    for number in range(ROUNDS):
        entries = [_entry(project, number * size + n) for n in range(size)]
        with Session(engine) as session:
            reading.append(_cost(lambda: digesting.read_all(session, entries)))  # noqa: B023
            batch = digesting.read_all(session, entries)
        with Session(engine.execution_options(writes=True)) as session, session.begin():
            keeping.append(_cost(lambda: digesting.keep(session, batch, now=now())))  # noqa: B023
    yield f"read a batch of {size}", min(reading) / size
    yield f"write a batch of {size}", min(keeping) / size
    yield "digest, both together", (min(reading) + min(keeping)) / size


def _entry(project: Project, number: int) -> Entry:
    at = now()
    body = payloads.body(number, at)
    return Entry(project.id, ENVELOPE, at, body, "gzip", event_id=f"{number:032x}")


def _best(work: Callable[[], object]) -> float:
    work()
    return min(_cost(work) for _ in range(ROUNDS))


def _cost(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e6


@contextmanager
def _engine(url: str | None) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as directory:
        engine = create_engine(url or f"sqlite:///{Path(directory) / 'bench.db'}")
        if url is None:
            Base.metadata.create_all(engine)
        yield engine
        engine.dispose()


def _project(engine: Engine) -> Project:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        mark = f"bench-{time.time_ns()}"
        organization = workspaces.create_organization(session, slug=mark, name=mark, owner=None, now=now())
        return workspaces.create_project(
            session, organization, slug="shop", name="Shop", platform="python", teams=(), now=now()
        )


if __name__ == "__main__":
    main()
