"""The last request of an SDK that was refused, by project: "nothing yet?" on the pages has an answer.

Kept in Redis for a day and nowhere else: it helps whoever connects an application now, and no one later.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from redis import Redis

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    detail: str
    at: str

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


def note(connection: Redis, project_id: int, *, status: int, detail: str, now: datetime) -> None:
    refusal = Refusal(status, detail, now.isoformat())
    connection.set(_name(project_id), json.dumps(asdict(refusal)), ex=DAY_SECONDS)


def last(connection: Redis, project_id: int) -> Refusal | None:
    kept = cast("bytes | None", connection.get(_name(project_id)))
    return Refusal(**json.loads(kept)) if kept else None


def _name(project_id: int) -> str:
    return f"tocsin:refused:{project_id}"
