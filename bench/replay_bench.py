"""What a look back costs: `python -m bench.replay_bench [--database URL] [--events N]`.

Stores so many events (100,000) of some issues over the 14 days that a preview looks at, with whole bodies and
half of them of one issue, then previews rules of each kind. Times are in milliseconds, the best of several
rounds: CPU time of a replay that may take as long as it likes, and a whole preview within its budget by the
wall, with how many of the events that reached. Without a database it makes an SQLite file of its own and
removes it.
"""

import argparse
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from app import memory
from app.clock import now
from app.domain.rule_content import Content
from app.models import Event, Issue, Project, User
from app.services.preferences import preferring
from app.services.rules import rule_preview, rule_replaying
from app.services.rules.rule_reaching import Imagined
from app.services.rules.rule_replaying import LOOKED_BACK, Budget
from bench import payloads
from bench.digest_bench import _engine, _project
from bench.rules_bench import CHUNK, ENVIRONMENTS, PEOPLE, _digest

ROUNDS = 2
ENDLESS = Budget(seconds=600, events=10_000_000, warm=10_000_000)
MAIL = {"id": "mail", "target": "owners", "fallback": "all"}
EVERY = {"id": "every_event"}
RULES: Mapping[str, Mapping[str, Any]] = {
    "new issues": {"conditions": [{"id": "first_seen"}]},
    "every event, every time": {"conditions": [EVERY], "frequency_minutes": 0},
    "over 100 events in an hour": {"conditions": [{"id": "event_count", "value": 100, "interval": "1h"}]},
    "over a million in 30 days": {"conditions": [{"id": "event_count", "value": 10**6, "interval": "30d"}]},
    "over a million people a week": {"conditions": [{"id": "user_count", "value": 10**6, "interval": "1w"}]},
    "a tag, every half hour": {
        "conditions": [{"id": "tag", "key": "region", "match": "ne", "value": "moon"}]
    },
    "a tag that none has": {"conditions": [{"id": "tag", "key": "region", "match": "eq", "value": "moon"}]},
}


def main() -> None:
    options = _options()
    memory.settle()
    with _engine(options.database) as engine:
        project = _project(engine)
        at = now()
        _digest(engine, project, payloads.ISSUES, at - timedelta(seconds=1))
        _fill(engine, project, options.events, at)
        print(f"{'rule':32}{'replay, CPU':>12}{'preview, ms':>13}{'events':>10}{'firings':>10}")
        for name, members in RULES.items():
            _measure(engine, project, name, Content("Bench", actions=[MAIL], **members))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", help="such as postgresql+psycopg://USER@HOST/NAME")
    parser.add_argument("--events", type=int, default=100_000, help="events in 14 days (100,000)")
    return parser.parse_args()


def _fill(engine: Engine, project: Project, events: int, at: datetime) -> None:
    """Events in their order, written past the digester."""
    chance = random.Random(1)
    writes = engine.execution_options(writes=True)
    with Session(writes) as session, session.begin():
        issues = list(session.scalars(select(Issue.id).where(Issue.project_id == project.id)))
        body = session.scalars(select(Event.body).limit(1)).one()
        session.add(User(name="Bench", handle="bench", created_at=at))
    moments = sorted(at - LOOKED_BACK * chance.random() for _ in range(events))
    for start in range(0, events, CHUNK):
        rows = [_row(chance, project, issues, each, body) for each in moments[start : start + CHUNK]]
        with Session(writes) as session, session.begin():
            session.connection().execute(insert(Event), rows)
    with Session(writes) as session, session.begin():
        seen = select(func.count()).where(Event.issue_id == Issue.id).scalar_subquery()
        session.execute(update(Issue).values(times_seen=seen).execution_options(synchronize_session=False))


def _row(
    chance: random.Random, project: Project, issues: list[int], at: datetime, body: bytes
) -> dict[str, Any]:
    return {
        "project_id": project.id,
        "issue_id": issues[0] if chance.random() < 0.5 else chance.choice(issues),
        "event_id": f"{chance.getrandbits(128):032x}",
        "timestamp": at,
        "received_at": at,
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


def _measure(engine: Engine, project: Project, name: str, content: Content) -> None:
    with Session(engine) as session:
        here = session.get_one(Project, project.id)
        how = Imagined(
            now(),
            session.scalars(select(User).limit(1)).one(),
            True,
            preferring.defaults(session, workflow="always"),
        )

        def replay() -> Any:
            return rule_replaying.replay(session, here, content, now=how.now, budget=ENDLESS)

        def preview() -> Any:
            return rule_preview.preview(session, here, content, how)

        (whole, replayed), (within, done) = (
            _best(replay, time.process_time),
            _best(preview, time.perf_counter),
        )
    firings = len(replayed.firings)
    print(f"{name:32}{whole:12.0f}{within:13.0f}{done.events:10}{firings:10}")


def _best(work: Callable[[], Any], clock: Callable[[], float]) -> tuple[float, Any]:
    spent = []
    for _ in range(ROUNDS):
        began = clock()
        made = work()
        spent.append((clock() - began) * 1e3)
    return min(spent), made


if __name__ == "__main__":
    main()
