"""The last request of an SDK that was refused, by project: "nothing yet?" on the pages has an answer.

Kept in Redis for a day and nowhere else: it helps whoever connects an application now, and no one later.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import cast

from redis import Redis, RedisError

KEPT = timedelta(days=1)
KEY = "tocsin:refused"
# Anybody can name any project in a request: what is kept of that must have an end.
MOST_PROJECTS = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    detail: str
    at: str

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


def note(connection: Redis, project_id: int, *, status: int, detail: str, now: datetime) -> None:
    """Remember the refusal in place of the project's earlier one, as long as there is room."""
    field = str(project_id)
    if connection.hexists(KEY, field) or connection.hlen(KEY) < MOST_PROJECTS:
        refusal = json.dumps(asdict(Refusal(status, detail, now.isoformat())))
        connection.hset(KEY, field, refusal)
        connection.expire(KEY, KEPT)


def last(connection: Redis, project_id: int, *, now: datetime) -> Refusal | None:
    """The project's last refusal, if it is no older than a day: Redis forgets all of them together only.

    A help, not a necessity: None while Redis does not answer.
    """
    try:
        kept = cast("bytes | None", connection.hget(KEY, str(project_id)))
    except RedisError:
        return None
    refusal = Refusal(**json.loads(kept)) if kept else None
    return refusal if refusal and now - refusal.moment < KEPT else None
