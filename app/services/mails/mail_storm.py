"""What the mail about many new issues at once says (E15)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import phrases
from app.domain.links import Links
from app.domain.moments import Moments
from app.domain.phrases import plural, preheader
from app.domain.storms import STORM
from app.models import Issue, Notice
from app.services.calm.storm_issues import Issues
from app.services.mails.mail_detail import LINK, detail_of
from app.services.mails.mail_records import Records

MOST_ROWS = 10
LONGEST_TITLE, LONGEST_VERSION = 120, 60


@dataclass(frozen=True, slots=True)
class Row:
    """One of the new issues; without a title where the project's mails say nothing of its errors."""

    title: str
    culprit: str
    short_id: str
    numbers: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Told:
    """The whole mail before any layout. `left_out` counts what there is no room for."""

    subject: str
    state: str
    heading: str
    beside: tuple[str, ...]
    preheader: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int
    after: tuple[str, ...]
    open: tuple[str, str]


def of(notice: Notice, zone: str, records: Records, links: Links) -> Mapping[str, Any]:
    """The facts of a storm, for its mail; none for any other notice."""
    if notice.kind != STORM or notice.project is None:
        return {}
    return {"storm": _told(notice, Moments(zone, notice.occurred_at), records, links)}


def _told(notice: Notice, moments: Moments, records: Records, links: Links) -> Told:
    project, found = notice.project, records.storm(notice, MOST_ROWS)
    assert project is not None
    since = moments.minute(datetime.fromisoformat(notice.data["since"]))
    place = project.organization.slug, project.slug
    shows = detail_of(project) != LINK
    many = plural(found.count, "new issue")
    return Told(
        subject=f"Many new issues in {project.name} · since {since}",
        state=many,
        heading=f"Many new issues in {project.name}",
        beside=(project.name, f"since {since}"),
        preheader=preheader(f"{many} since {since}.", "Individual mails are paused until it calms."),
        lines=_cause(found, moments) if shows else (),
        rows=tuple(_row(each, links.issue(*place, each.id), shows=shows) for each in found.top),
        left_out=max(found.count - len(found.top), 0),
        after=(
            "Instead of a mail about each there is this one, and one every hour while it goes on. "
            "Individual mail resumes after 15 minutes without a new issue. Fatal alerts still come at once.",
        ),
        open=(f"Open {project.name}", links.issues(*place)),
    )


def _cause(found: Issues, moments: Moments) -> tuple[str, ...]:
    if found.cause is None:
        return ()
    release = phrases.shortened(found.cause.release, LONGEST_VERSION)
    return (
        f"Probably one cause: {found.cause.count} of {found.count} began within 2 minutes of the first event "
        f"of release {release}, at {moments.minute(found.cause.at)}.",
    )


def _row(issue: Issue, url: str, *, shows: bool) -> Row:
    if not shows:
        return Row("", "", issue.short_id, (), url)
    return Row(
        title=phrases.shortened(issue.title, LONGEST_TITLE),
        culprit=phrases.shortened(issue.culprit, LONGEST_TITLE),
        short_id=issue.short_id,
        numbers=(plural(issue.times_seen, "event"), plural(issue.users_seen, "user")),
        url=url,
    )
