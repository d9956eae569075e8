"""What was sent to a person, held or not sent; and who changed what about their notifications."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from flask import Response, request, stream_with_context
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from app.clock import now
from app.db import db, reading
from app.domain import changes, wording
from app.models import User
from app.services.notices import recalling
from app.services.notices.recalling import Change, ChangesSought, Sought, Told
from app.web.account.blueprint import bp
from app.web.account.typed import number
from app.web.filters import exact
from app.web.hypermedia import page_or_fragment, public_url
from app.web.identity import login_required, me

COLUMNS = (
    *("when", "issue", "title", "what", "project"),
    *("outcome", "code", "because", "delivery", "address", "link"),
)
# A spreadsheet takes what begins like this for a formula; and what follows a mark at which some, whatever
# the quotes say, begin a new cell.
FORMULA = re.compile(r"(^|[;\t\r\n]\s*)(?=[=+\-@\t\r\n])")
BY = {"me": "You", "others": "Somebody else"}


@bp.get("/notifications/history/")
@login_required
def history() -> ResponseReturnValue:
    session, sought = db.session, _sought()
    rows = recalling.told(session, me(), sought, now=now(), before=_before())
    return page_or_fragment(
        "settings/history.html",
        "settings/_history.html",
        rows=rows,
        older=_older(rows),
        here=_asked(),
        is_filtered=sought != Sought(),
        projects=recalling.projects(session, me()),
        outcomes=recalling.OUTCOMES,
        codes=[(code, words) for code, words in wording.code_choices() if code != "send"],
    )


@bp.get("/notifications/history.csv")
@login_required
def history_csv() -> Response:
    """The same, whole: a line at a time, so that its length costs no memory."""
    person_id, sought = me().id, _sought()
    response = Response(stream_with_context(_csv(person_id, sought)), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="notifications.csv"'
    return response


def _csv(person_id: int, sought: Sought) -> Iterator[str]:
    with reading() as session:
        person = session.get_one(User, person_id)
        zone = person.timezone
        yield _line(COLUMNS)
        for told in recalling.all_told(session, person, sought, now=now()):
            yield _line(_cells(told, zone))


def _cells(told: Told, zone: str) -> Sequence[str]:
    notice, line = told.notice, told.line
    delivery = line.delivery
    return (
        exact(notice.occurred_at, zone),
        notice.issue_short_id or "",
        notice.issue_title or "",
        told.facts["word"],
        told.facts["project"],
        line.words,
        line.code,
        "; ".join(line.reasons) or line.decided_by,
        line.delivery_words,
        delivery.address if delivery else "",
        public_url(f"/notices/{notice.public_id}/"),
    )


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([FORMULA.sub(r"\1'", cell) for cell in cells])
    return out.getvalue()


@bp.get("/notifications/log/")
@login_required
def log() -> ResponseReturnValue:
    args = request.args
    by, category = args.get("by", ""), args.get("category", "")
    if (by and by not in BY) or (category and category not in changes.CATEGORIES):
        raise BadRequest
    sought = ChangesSought(category, by, _day())
    rows = recalling.changed(db.session, me(), sought, before=_before())
    return page_or_fragment(
        "settings/log.html",
        "settings/_log.html",
        rows=rows,
        older=_older(rows),
        here=_asked(),
        is_filtered=sought != ChangesSought(),
        categories=changes.CATEGORIES,
        by=BY,
    )


def _sought() -> Sought:
    args = request.args
    outcome, code = args.get("outcome", ""), args.get("code", "")
    if (outcome and outcome not in recalling.OUTCOMES) or (code and code not in wording.CODES):
        raise BadRequest
    project = args.get("project", "")
    return Sought(outcome, number(project) if project else None, code, _day())


def _day() -> date | None:
    text = request.args.get("day", "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest from None
    if not 1971 <= day.year <= 9000:
        raise BadRequest
    return day


def _asked() -> dict[str, Any]:
    """What is filtered on, for the links to further pages."""
    return {name: value for name, value in request.args.items() if value and name != "before"}


def _before() -> int | None:
    text = request.args.get("before")
    return number(text) if text else None


def _older(rows: Sequence[Told] | Sequence[Change]) -> int | None:
    """Where the next page begins, if this one is full."""
    return rows[-1].id if len(rows) == recalling.PAGE else None
