"""What the keys of a list do about an issue for the reader alone. The row does not show it, so it is said."""

from collections.abc import Callable, Mapping
from functools import partial

from flask import Response

from app.clock import now
from app.db import db
from app.domain.errors import Refused
from app.models import Issue
from app.services import access
from app.services.issues import issue_facts
from app.services.issues.issue_facts import Following
from app.services.preferences import subscribing
from app.web import limits
from app.web.hypermedia import fragments
from app.web.identity import login_required, me
from app.web.issues import mute
from app.web.issues.blueprint import bp, issue_url
from app.web.issues.ignore_choice import TOMORROW
from app.web.issues.showing import environment, standing_of


@bp.post("/issues/<int:issue_id>/oneself/<do>")
@login_required
@limits.changes
def change_for_oneself(issue_id: int, do: str) -> Response:
    issue = access.visible_issue(db.session, me(), issue_id)
    change = CHANGES.get(do)
    if change is None:
        raise Refused("Choose what to do with the issue.")
    said = f"{issue.short_id}: {change(issue)}"
    db.session.commit()
    return fragments("issues/_said.html", otherwise=issue_url(issue), said=said, undo=None)


def follow(issue: Issue) -> str:
    """Subscribe or unsubscribe, whichever the issue's own page would offer; where it is neither, say why."""
    following = _following(issue)
    if following.can_subscribe:
        change, said = subscribing.subscribe, "subscribed."
    elif following.can_unsubscribe or following.can_silence:
        change, said = subscribing.unsubscribe, "unsubscribed. Press s again to subscribe."
    else:
        return standing_of(issue, following)
    has_changed = change(db.session, issue, user=me(), now=now(), via="web")
    return said if has_changed else mute.UNCHANGED


def silence(issue: Issue, *, choice: Mapping[str, str]) -> str:
    """Mute it, where the issue's own page would offer that."""
    following = _following(issue)
    return mute.change(issue, choice)[0] if following.can_mute else standing_of(issue, following)


def unmute(issue: Issue) -> str:
    return mute.change(issue, {"unmute": "1"})[0]


def _following(issue: Issue) -> Following:
    return issue_facts.people(db.session, issue, me(), environment()).following


CHANGES: Mapping[str, Callable[[Issue], str]] = {
    "follow": follow,
    "mute_hour": partial(silence, choice={"minutes": "60"}),
    "mute_tomorrow": partial(silence, choice={mute.UNTIL: TOMORROW}),
    "mute_week": partial(silence, choice={"minutes": "10080"}),
    "mute_worse": partial(silence, choice={"worse": "1"}),
    "unmute": unmute,
}
