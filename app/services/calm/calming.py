"""What keeps single alerts from being told: a storm that sums them up, and issues that are flapping."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.routing import Happening
from app.models import Notice
from app.services.calm import flapping, storming


@dataclass(frozen=True, slots=True)
class Calmed:
    """What the evaluator is asked, knowing all that; and the notice of the storm, if it is part of one."""

    what: Happening
    storm: Notice | None = None


def calmed(session: Session, asked: Mapping[Notice, Happening], *, now: datetime) -> dict[Notice, Calmed]:
    """All of it before anything is decided: storms are locked before what is locked for people."""
    lately = flapping.told_lately(session, asked, now=now)
    found = {}
    for notice, happening in asked.items():
        what = happening
        if told := lately.get(notice):
            what = replace(what, flapping=told.public_id, told_lately=told.people)
        storm = storming.of_alert(session, notice, what, now=now)
        if storm:
            what = replace(what, storm=storm.public_id)
            notice.data = {**notice.data, "storm": storm.public_id}
        found[notice] = Calmed(what, storm)
    return found
