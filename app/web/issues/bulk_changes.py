"""What the bar below a list can do to issues: each change by the service that an issue's own page calls."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import db
from app.domain import resolutions
from app.domain.errors import Refused
from app.domain.resolutions import Target
from app.models import Activity, Issue
from app.services.issues import assigning, ignoring, merging, removing, reopening, resolving
from app.services.issues.timeline import Batch
from app.services.preferences import subscribing
from app.web.filters import plural
from app.web.identity import me
from app.web.issues import ignore_choice
from app.web.issues.assignee import chosen


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be done, to which issues; `fields` are those of the form."""

    issues: Sequence[Issue]
    fields: Mapping[str, str]
    at: datetime
    batch: Batch


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: `changed` of the issues. Only what has `activities` can be taken back."""

    said: str
    changed: int
    activities: Sequence[Activity] = ()
    stays: Issue | None = None  # of those that were merged


@dataclass(frozen=True, slots=True)
class Change:
    """What is final cannot be taken back: it is asked about first."""

    make: Callable[[Wish], Done]
    is_final: bool = False


def resolve(into: Target | None = None) -> Callable[[Wish], Done]:
    def make(wish: Wish) -> Done:
        resolving.refuse_several_projects([issue.project_id for issue in wish.issues], into)
        return _moved(
            wish,
            "resolved in the next release" if into else "resolved",
            lambda issue: resolving.resolve(
                db.session, issue, by=me(), now=wish.at, into=into, batch=wish.batch
            ),
        )

    return make


def ignore(**choice: str) -> Callable[[Wish], Done]:
    def make(wish: Wish) -> Done:
        def one(issue: Issue) -> Activity | None:
            until = ignore_choice.read(choice, me(), issue)
            return ignoring.ignore(db.session, issue, by=me(), now=wish.at, until=until, batch=wish.batch)

        return _moved(wish, "ignored", one)

    return make


def reopen(wish: Wish) -> Done:
    return _moved(
        wish,
        "reopened",
        lambda issue: reopening.reopen(db.session, issue, by=me(), now=wish.at, batch=wish.batch),
    )


def assign(to: str | None = None, said: str = "assigned") -> Callable[[Wish], Done]:
    """To whom the form says, or always to this one."""

    def make(wish: Wish) -> Done:
        name = wish.fields.get("assignee", "") if to is None else to
        if to is None and not name.strip():
            raise Refused("Write to whom: @name, an address or #team.", field="assignee")
        who = {issue.project_id: chosen(issue, name) for issue in wish.issues}
        return _moved(
            wish,
            said,
            lambda issue: assigning.assign(
                db.session, issue, to=who[issue.project_id], by=me(), now=wish.at, batch=wish.batch
            ),
        )

    return make


def _moved(wish: Wish, said: str, move: Callable[[Issue], Activity | None]) -> Done:
    made = [activity for issue in wish.issues if (activity := move(issue))]
    return Done(_said(wish, said, len(made)), len(made), made)


def _follow(change: Callable[..., bool], said: str) -> Callable[[Wish], Done]:
    def make(wish: Wish) -> Done:
        done = sum(change(db.session, issue, user=me(), now=wish.at, via="web") for issue in wish.issues)
        return Done(_said(wish, said, done), done)

    return make


def merge(wish: Wish) -> Done:
    primary = merging.merge(db.session, wish.issues, by=me(), now=wish.at)
    said = f"{plural(len(wish.issues), 'issue')} merged into {primary.short_id}."
    return Done(said, len(wish.issues), stays=primary)


def delete(wish: Wish) -> Done:
    gone = removing.delete(db.session, wish.issues, by=me(), now=wish.at)
    return Done(_said(wish, "deleted", len(gone)), len(gone))


def discard(wish: Wish) -> Done:
    gone = removing.discard(db.session, wish.issues, by=me(), now=wish.at)
    said = _said(wish, "discarded", len(gone))
    return Done(f"{said} Events like theirs are dropped from now on.", len(gone))


def _said(wish: Wish, what: str, done: int) -> str:
    left = len(wish.issues) - done
    unchanged = f" {plural(left, 'issue')} had nothing to change." if left else ""
    return f"{plural(done, 'issue')} {what}.{unchanged}"


# What a button's `do` says.
CHANGES: Mapping[str, Change] = {
    "resolve": Change(resolve()),
    "resolve_next": Change(resolve(resolutions.in_next_release())),
    "ignore_worse": Change(ignore(worse="1")),
    "ignore_hour": Change(ignore(minutes="60")),
    "ignore_day": Change(ignore(minutes="1440")),
    "ignore_week": Change(ignore(minutes="10080")),
    "ignore": Change(ignore()),
    "reopen": Change(reopen),
    "assign": Change(assign()),
    "take": Change(assign("me", "assigned to you")),
    "unassign": Change(assign("", "assigned to nobody")),
    "subscribe": Change(_follow(subscribing.subscribe, "subscribed to")),
    "unsubscribe": Change(_follow(subscribing.unsubscribe, "unsubscribed from")),
    "merge": Change(merge, is_final=True),
    "delete": Change(delete, is_final=True),
    "discard": Change(discard, is_final=True),
}


def may_be_done(do: str, issues: Iterable[Issue]) -> None:
    """`Refused` before anybody is asked whether they are sure."""
    found = list(issues)
    if do == "merge":
        merging.check(found)
    if do == "discard" and not removing.may_discard(db.session, me(), found):
        raise Refused("Only admins of a project can discard its issues.")
