"""The tabs of an issue that are pages of their own: each stands at the address of its issue."""

from typing import Any

from flask import Response, request, url_for

from app.clock import now
from app.models import Issue
from app.services.issues import issue_facts
from app.web.hypermedia import page_or_fragment, see_other


def address(name: str, issue: Issue, **arguments: Any) -> str:
    """Of the tab whose route has this name."""
    return url_for(f"issues.{name}", **_place(issue), **arguments)


def elsewhere(name: str, issue: Issue, **kept: Any) -> Response | None:
    """The way to the tab, where the address asked for is not its own: an issue was merged, or moved."""
    return None if request.view_args == _place(issue) else see_other(address(name, issue, **kept))


def shown(name: str, issue: Issue, **context: Any) -> Response:
    """The page, or the list alone."""
    project = issue.project
    return page_or_fragment(
        f"issues/{name}.html",
        f"issues/_{name}.html",
        issue=issue,
        org=project.organization,
        project=project,
        here=address(name, issue),
        substatus=issue_facts.substatus(issue, now=now()),
        **context,
    )


def _place(issue: Issue) -> dict[str, Any]:
    project = issue.project
    return {"org": project.organization.slug, "slug": project.slug, "issue_id": issue.id}
