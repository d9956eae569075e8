"""What a call of the other side asks for, and what those who do it are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.channels.http import Http
from app.models import Destination
from app.services.sealing import Seal

Afterwards = Callable[[Http], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: what it is about, and what is needed to do it. `url` is the instance's public address."""

    destination: Destination
    act: Mapping[str, Any]
    seal: Seal
    url: str
    now: datetime


Act = Callable[[Session, Asked], Afterwards | None]
