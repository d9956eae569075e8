"""Which keys may send where: read from the database, and remembered for a few seconds in each process."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from app.domain import origins
from app.domain.rejections import Forbidden
from app.models import Project, ProjectKey

FRESH_SECONDS = 5.0
# While the database is away, what was known goes on: an event is worth more than a late revocation.
STALE_SECONDS = 600.0
MAX_KNOWN = 10_000

_PUBLIC = re.compile(r"[0-9a-f]{32}")


class KeysUnavailable(Exception):
    """The database does not answer, and this key has not been seen before."""


@dataclass(frozen=True, slots=True)
class Key:
    id: int
    project_id: int
    rate_limit_count: int | None
    rate_limit_window: int | None
    allowed_origins: tuple[str, ...]

    def allows(self, origin: str | None) -> bool:
        return origins.accepts(self.allowed_origins, origin)


class Keys:
    """The keys of this process. Unknown ones are remembered too, so that guessing costs no queries."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, tuple[float, Key | None]] = {}

    def check(self, public_key: str, project_id: int, origin: str | None) -> Key:
        """The key, if it is active, belongs to the project and may be used by pages of this origin."""
        key = self._find(public_key) if _PUBLIC.fullmatch(public_key) else None
        if key is None or key.project_id != project_id:
            raise Forbidden("the key is unknown, disabled or belongs to another project")
        if not key.allows(origin):
            raise Forbidden("the project does not accept events from this origin")
        return key

    def _find(self, public_key: str) -> Key | None:
        read_at, key = self._known.get(public_key, (None, None))
        now = self._clock()
        if read_at is not None and now - read_at < FRESH_SECONDS:
            return key
        try:
            key = self._load(public_key)
        except SQLAlchemyError as error:
            if read_at is None or now - read_at > STALE_SECONDS:
                raise KeysUnavailable from error
            return key
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[public_key] = (now, key)
        return key

    def _load(self, public_key: str) -> Key | None:
        query = (
            select(
                ProjectKey.id,
                ProjectKey.project_id,
                ProjectKey.rate_limit_count,
                ProjectKey.rate_limit_window,
                Project.allowed_origins,
            )
            .join(Project, Project.id == ProjectKey.project_id)
            .where(ProjectKey.public == public_key, ProjectKey.is_active)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return Key(*row[:4], allowed_origins=tuple(row.allowed_origins)) if row else None
