"""One row of a list, as it is after something was done about its issue."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response

from app.clock import now
from app.db import db
from app.models import Issue
from app.services.issues import finding, issue_facts
from app.services.notices import explaining
from app.web.hypermedia import fragments
from app.web.identity import me
from app.web.issues.blueprint import issue_url


def row(issue: Issue, said: str, *, undo: Mapping[str, Any] | None = None, changed: bool = True) -> Response:
    """The row itself; what was done is heard, for it is seen in the row.

    It is shown too if nothing was, or if it can be taken back.
    """
    shown = finding.row_of(db.session, issue, now=now())
    notices = [shown.notice] if shown.notice else []
    answer = fragments(
        "issues/_one_row.html",
        otherwise=issue_url(issue),
        each=shown,
        substatus=partial(issue_facts.substatus, now=now()),
        reach=explaining.reach_of(db.session, notices, reader=me(), now=now()),
        said=said,
        undo=undo,
        is_shown=undo is not None or not changed,
    )
    return counted_anew(answer)


def counted_anew(answer: Response) -> Response:
    """The tabs beside the list are told to ask for their numbers again."""
    answer.headers["HX-Trigger"] = json.dumps({"issues-changed": {"target": "#stream-tabs"}})
    return answer
