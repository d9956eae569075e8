"""Many issues that went to one person by themselves within minutes: told in one message."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import routing
from app.models import Activity, Notice

KIND = "assigned"
MANY = 5
WITHIN = timedelta(minutes=5)
# Activities about a notice's own that are looked at: more are seldom written within so little time.
NEAR = 2000


def key_of(project_id: int | None) -> str:
    """The key of the digest that collects them, for each project."""
    return f"{KIND}:{project_id}"


def gathered(
    session: Session, notice: Notice, verdicts: Sequence[routing.Verdict], *, now: datetime
) -> list[routing.Verdict]:
    """These verdicts, but whoever is given many issues at once hears of all in one message."""
    activity = notice.activity
    if notice.kind != KIND or activity is None or activity.actor_id is not None:
        return list(verdicts)
    return routing.together(verdicts, _given(session, activity), until=now + WITHIN, least=MANY)


def _given(session: Session, activity: Activity) -> Mapping[int, int]:
    """How many issues Tocsin gave to each person around the time of this one, which is among them."""
    near = Activity.id.between(activity.id - NEAR, activity.id + NEAR)
    found = select(Activity.data).where(
        near,
        Activity.project_id == activity.project_id,
        Activity.type == KIND,
        Activity.actor_id.is_(None),
        Activity.created_at.between(activity.created_at - WITHIN, activity.created_at + WITHIN),
    )
    return Counter(
        user_id
        for data in session.scalars(found)
        for user_id in {*data.get("assigned", ()), *data.get("team_assigned", ())}
    )
