"""Suspect commits, which are looked for once the page of the issue is there."""

from flask import Response

from app.db import db
from app.domain import commits
from app.models import Commit
from app.services import access
from app.services.issues import issue_events
from app.services.releases import suspecting
from app.web.hypermedia import page_or_fragment
from app.web.identity import login_required, me
from app.web.issues.blueprint import bp


@bp.get("/issues/<int:issue_id>/suspects")
@login_required
def suspects(issue_id: int) -> Response:
    """Of the latest event: commits that changed files of its stack, with their authors."""
    issue = access.visible_issue(db.session, me(), issue_id)
    event = issue_events.show(db.session, issue, issue_events.LATEST)
    found = suspecting.of(db.session, issue, event.data) if event else []
    return page_or_fragment(
        "issues/suspects.html",
        "issues/_suspects.html",
        issue=issue,
        project=issue.project,
        org=issue.project.organization,
        active_tab="issues",
        found=found,
        commit_page=_page,
        short=commits.short,
        first_line=commits.first_line,
    )


def _page(commit: Commit) -> str:
    return commits.page(commit.repository.url, commit.repository.provider, commit.key)
