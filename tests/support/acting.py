"""What people do to issues."""

from typing import Any

from app.clock import now
from app.models import Issue, Team, User
from app.services import assigning, commenting, ignoring, reopening, resolving, subscribing
from tests.support.arranging import ArrangingSession


class Acts:
    def __init__(self, session: ArrangingSession) -> None:
        self.session = session

    def resolve(self, issue: Issue, *, by: User) -> None:
        self._do(resolving.resolve, issue, by=by)

    def ignore(self, issue: Issue, *, by: User) -> None:
        self._do(ignoring.ignore, issue, by=by)

    def reopen(self, issue: Issue, *, by: User) -> None:
        self._do(reopening.reopen, issue, by=by)

    def assign(self, issue: Issue, *, to: User | Team | None, by: User) -> None:
        self._do(assigning.assign, issue, to=to, by=by)

    def comment(self, issue: Issue, text: str, *, by: User) -> None:
        self._do(commenting.comment, issue, text=text, by=by)

    def subscribe(self, issue: Issue, *, by: User) -> None:
        self._do(subscribing.subscribe, issue, user=by, via="page")

    def unsubscribe(self, issue: Issue, *, by: User) -> None:
        self._do(subscribing.unsubscribe, issue, user=by, via="page")

    def _do(self, verb: Any, issue: Issue, **how: Any) -> None:
        self.session.commit()
        verb(self.session, issue, now=now(), **how)
        self.session.commit()
