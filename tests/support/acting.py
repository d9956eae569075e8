"""What people do to issues on their pages, with plain forms."""

from collections.abc import Callable, Sequence

from werkzeug.test import TestResponse

from app.models import Issue, Team, User
from tests.support.browser import Browser


class Acts:
    """Each act is one POST. Its answer is returned; it has to redirect unless `status` says otherwise."""

    def __init__(self, browser_of: Callable[[User], Browser]) -> None:
        self.browser_of = browser_of

    def resolve(self, issue: Issue, *, by: User, status: int = 303) -> TestResponse:
        return self._post(issue, "resolution", by, status)

    def ignore(self, issue: Issue, *, by: User, status: int = 303) -> TestResponse:
        return self._post(issue, "ignore", by, status)

    def reopen(self, issue: Issue, *, by: User, status: int = 303) -> TestResponse:
        return self._post(issue, "reopening", by, status)

    def assign(self, issue: Issue, *, to: User | Team | None, by: User, status: int = 303) -> TestResponse:
        kind = "team" if isinstance(to, Team) else "user"
        return self._post(issue, "assignee", by, status, assignee=f"{kind}:{to.id}" if to else "")

    def comment(self, issue: Issue, text: str, *, by: User, status: int = 303) -> TestResponse:
        return self._post(issue, "comments", by, status, text=text)

    def bookmark(self, issue: Issue, *, by: User, wanted: str = "added", status: int = 303) -> TestResponse:
        return self._post(issue, "bookmark", by, status, bookmark=wanted)

    def subscribe(self, issue: Issue, *, by: User, status: int = 303) -> TestResponse:
        return self._post(issue, "subscription", by, status, state="subscribed")

    def unsubscribe(self, issue: Issue, *, by: User, status: int = 303) -> TestResponse:
        return self._post(issue, "subscription", by, status, state="unsubscribed")

    def bulk(self, issues: Sequence[Issue], do: str, *, by: User, **fields: str) -> TestResponse:
        project = issues[0].project
        sent = {"issue": [issue.id for issue in issues], "do": do, "query": "", **fields}
        answer = self.browser_of(by).post(f"/{project.organization.slug}/{project.slug}/bulk", data=sent)
        assert answer.status_code == 303, f"{do}: {answer.status}"
        return answer

    def _post(self, issue: Issue, resource: str, by: User, status: int, **fields: str) -> TestResponse:
        answer = self.browser_of(by).post(f"/issues/{issue.id}/{resource}", data=fields)
        assert answer.status_code == status, f"{resource}: {answer.status}"
        return answer
