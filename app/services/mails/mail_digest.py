"""What a mail about several issues says: the summary of one action, or what came in quiet hours (E14b)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain import phrases, versions
from app.domain.kinds import ALERTS, DEPLOYS, KINDS, RULE_CHANGED
from app.domain.mail_tokens import MailToken, sign
from app.domain.moments import Moments
from app.domain.phrases import plural, preheader
from app.domain.routing import Reason
from app.domain.site import Site
from app.domain.storms import STORM
from app.models import Digest, Issue, Notice, Project, User, Verdict
from app.services.issues import assignment_bursts, timeline
from app.services.mails import mail_rule
from app.services.mails.mail_detail import LINK, detail_of
from app.services.mails.mail_news import named_commit
from app.services.mails.mail_records import Records
from app.services.releases.deploying import DEPLOY

MOST_ROWS = 20
LONGEST_TITLE, LONGEST_VERSION = 120, 60
TONES: Mapping[str, str] = {
    "alert.new": "new",
    "alert.regression": "regressed",
    "regression": "regressed",
    "resolved": "resolved",
    "unignored": "escalating",
    "assigned": "assigned",
    "comment": "comment",
    "deploy": "resolved",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One issue, or one comment: what happened, to what, how often; `leave` stops the mails about it."""

    state: str
    tone: str
    short_id: str
    title: str
    numbers: tuple[str, ...]
    said: str
    url: str
    notice_url: str
    leave: tuple[str, str] | None
    culprit: str = ""
    facts: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one project; `name` is empty where there is but one."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The whole mail before any layout. `left_out` counts what there is no room for."""

    subject: str
    heading: str
    beside: tuple[str, ...]
    preheader: str
    lines: tuple[str, ...]
    groups: tuple[Group, ...]
    left_out: int
    after: tuple[str, ...]
    why: str
    switch: tuple[str, str]
    open: tuple[str, str]

    def within(self, rows: int) -> "Gathered":
        """The same with at most so many rows; how many there are more is said."""
        groups, room = [], rows
        for group in self.groups:
            if room > 0:
                groups.append(replace(group, rows=group.rows[:room]))
            room -= len(group.rows)
        return replace(self, groups=tuple(groups), left_out=self.left_out + max(-room, 0))


class Pile:
    """The notices of a digest that are still to be told, with what their mail needs to know."""

    def __init__(
        self,
        digest: Digest,
        verdicts: Sequence[Verdict],
        reader: User,
        moments: Moments,
        records: Records,
        site: Site,
    ) -> None:
        self.digest, self.verdicts, self.reader = digest, verdicts, reader
        self.moments, self.records, self.site = moments, records, site
        self.notices: Sequence[Notice] = [verdict.notice for verdict in self.verdicts]

    @property
    def projects(self) -> list[Project]:
        return list({notice.project_id: notice.project for notice in self.notices if notice.project}.values())

    @property
    def categories(self) -> set[str]:
        return {KINDS[notice.kind].category for notice in self.notices}

    def many(self, notices: Sequence[Notice] | None = None) -> str:
        """ "12 issues in shop"."""
        found = self.notices if notices is None else notices
        issues = plural(len({notice.issue_id for notice in found}), "issue")
        places = phrases.listed([project.name for project in self.projects[:3]])
        more = len(self.projects) - 3
        return f"{issues} in {places}{f' and {more} more' if more > 0 else ''}"


def gathered(pile: Pile) -> Gathered:
    return _batch(pile) if pile.digest.kind in ("batch", assignment_bursts.KIND) else _quiet(pile)


def _batch(pile: Pile) -> Gathered:
    kind, count = Counter(notice.kind for notice in pile.notices).most_common(1)[0]
    same = [notice for notice in pile.notices if notice.kind == kind]
    first, mixed = same[0], len(pile.notices) - count
    actor = first.actor.name if first.actor else ""
    heading = _did(kind, first, actor, pile.many(same), _reader_has(pile))
    cause = _cause(kind, first)
    others = (f"Besides, {plural(mixed, 'other change')} of these issues.",) if mixed else ()
    return Gathered(
        subject=heading,
        heading=heading,
        beside=tuple(project.name for project in pile.projects[:3]),
        preheader=preheader(f"{heading}.", cause),
        lines=(cause, *_claimed(same, actor), *others),
        groups=groups(pile, MOST_ROWS),
        left_out=max(len(pile.notices) - MOST_ROWS, 0),
        after=(f"One summary instead of {len(pile.notices)} mails, because {_together(pile)}.",),
        why=f"{heading}, and you would have been told of each",
        switch=_workflow_switch(pile),
        open=opening(pile),
    )


def _together(pile: Pile) -> str:
    return "they came within minutes" if pile.digest.kind == assignment_bursts.KIND else "it was one action"


def _reader_has(pile: Pile) -> str:
    """Whether the reader is who the issues were given to, or taken from."""
    reasons = {reason for verdict in pile.verdicts for reason in verdict.reasons}
    return next((name for name in (Reason.ASSIGNED, Reason.UNASSIGNED) if name in reasons), "")


def _did(kind: str, notice: Notice, actor: str, many: str, reader: str) -> str:
    """The heading, and subject: "Sam resolved 12 issues in shop"."""
    data = (notice.activity.data if notice.activity else None) or {}
    who = actor or "Tocsin"
    version = str(data.get("version") or "")
    if kind == "resolved" and notice.activity and notice.activity.type == "set_resolved_by_age":
        return f"{many} resolved automatically"
    if kind == "resolved":
        where = f", in release {version}" if version and shows(notice) else ""
        return f"{who} resolved {many}{where}"
    if kind in ("assigned", "unassigned"):
        to = "you" if reader == Reason.ASSIGNED else str((data.get("to") or {}).get("name") or "nobody")
        return f"{who} assigned {many} to {to}"
    if kind == "unignored":
        return f"{many} are no longer ignored"
    return f"{who} reopened {many}" if kind == "reopened" else f"News about {many}"


def _claimed(notices: Sequence[Notice], actor: str) -> tuple[str, ...]:
    claimed = sum(bool(each.activity and each.activity.data.get(timeline.CLAIMED)) for each in notices)
    return (f"Nobody had {claimed} of them; now {actor} has.",) if claimed else ()


def _cause(kind: str, notice: Notice) -> str:
    data = (notice.activity.data if notice.activity else None) or {}
    if notice.activity and notice.activity.type == "set_resolved_by_age" and notice.project:
        hours = int(data.get("hours") or notice.project.resolve_age_hours)
        quiet = plural(hours // 24, "day") if hours % 24 == 0 else plural(hours, "hour")
        return (
            f"No events for {quiet}: {notice.project.name} resolves such issues (Project settings > General)."
        )
    return {
        "resolved": _until(notice),
        "reopened": "They are unresolved again, and their alert rules apply.",
        "unignored": "They are unresolved again, and their alert rules apply.",
    }.get(kind, "All of it was done at once.")


def _until(notice: Notice) -> str:
    """What reopens issues that were resolved in one way."""
    data: Mapping[str, Any] = (notice.activity.data if notice.activity else None) or {}
    version = phrases.shortened(str(data.get("version") or ""), LONGEST_VERSION)
    that, newer = (version, "a newer release") if shows(notice) else ("that release", "a newer one")
    kept = "keep counting but do not reopen them."
    match notice.activity.type if notice.activity else "", bool(version):
        case "set_resolved_in_release" | "set_resolved_in_commit", True:
            return f"Events of older releases {kept} An event of {that} or of {newer} does."
        case "set_resolved_in_release", False:
            return f"It takes effect with the next release. Events of those that exist now {kept}"
        case "set_resolved_in_commit", False:
            return f"The commit is in no release yet. Until it is, events {kept}"
    return "They stay resolved until another event arrives; then they reopen and you hear of it."


def _workflow_switch(pile: Pile) -> tuple[str, str]:
    project = pile.projects[0]
    return f"Workflow changes for {project.name}: change", pile.site.links.fine_tune("workflow", project.slug)


def opening(pile: Pile) -> tuple[str, str]:
    """The page of the one project, or that of all."""
    if len(pile.projects) != 1:
        return "Open Tocsin", f"{pile.site.url}/"
    project = pile.projects[0]
    return f"Open {project.name}", pile.site.links.issues(project.organization.slug, project.slug)


def _quiet(pile: Pile) -> Gathered:
    comments = sum(notice.kind == "comment" for notice in pile.notices)
    issues = len({notice.issue_id for notice in pile.notices if notice.kind != "comment"} - {None})
    deploys = sum(notice.kind == DEPLOY for notice in pile.notices)
    rules = sum(notice.kind == RULE_CHANGED for notice in pile.notices)
    numbers = ((issues, "issue"), (comments, "comment"), (deploys, "deploy"), (rules, "changed rule"))
    counted = [plural(number, noun) for number, noun in numbers if number]
    day = pile.moments.weekday(pile.digest.send_at)
    first, last = map(pile.moments.hour_of_week, (pile.digest.opened_at, pile.digest.send_at))
    span = f"Quiet hours held them from {first} to {last}."
    return Gathered(
        subject=f"While you were quiet: {', '.join(counted)} · {day}",
        heading="While you were quiet",
        beside=tuple(counted),
        preheader=preheader(f"Held for you: {kinds(pile.notices)}.", span),
        lines=(f"Held for you: {kinds(pile.notices)}.",),
        groups=groups(pile, MOST_ROWS, sorted(pile.notices, key=lambda notice: notice.kind != STORM)),
        left_out=max(len(pile.notices) - MOST_ROWS, 0),
        after=(f"{span} {_rang(pile)}",),
        why="your quiet hours held these messages, and are over",
        switch=("Quiet hours: change", pile.site.links.quiet_hours()),
        open=opening(pile),
    )


def kinds(notices: Sequence[Notice]) -> str:
    """ "2 new, 1 regressed, 2 comment": how many of each."""
    words = Counter(KINDS[notice.kind].word.lower() for notice in notices)
    return phrases.listed([f"{count} {word}" for word, count in words.most_common()])


def _rang(pile: Pile) -> str:
    """What reached its reader all the same."""
    rang = pile.records.rang(pile.digest)
    if not rang:
        return "Nothing rang through."
    named = [f"{each.issue_short_id}{_level(each)}" for each in rang[:5]]
    more = f" and {len(rang) - 5} more" if len(rang) > 5 else ""
    return f"{_number(len(rang))} rang through: {', '.join(named)}{more}."


def _level(notice: Notice) -> str:
    return f" ({notice.issue.level})" if notice.issue and shows(notice) else ""


def _number(count: int) -> str:
    return "One alert" if count == 1 else f"{count} alerts"


def groups(pile: Pile, most: int, notices: Sequence[Notice] | None = None) -> tuple[Group, ...]:
    """Rows by project, in the order in which things happened; of these notices, else of all."""
    by_project: dict[str, list[Row]] = {}
    for notice in (pile.notices if notices is None else notices)[:most]:
        name = notice.project.name if notice.project else ""
        by_project.setdefault(name, []).append(row(pile, notice))
    single = len(pile.projects) == 1
    return tuple(Group("" if single else name, tuple(rows)) for name, rows in by_project.items())


def row(pile: Pile, notice: Notice) -> Row:
    """One line of the table; where the project wants links only, it names the issue and nothing of it."""
    links = pile.site.links
    issue, project, says_all = notice.issue, notice.project, shows(notice)
    called = f"Many new issues in {project.name}" if project and notice.kind == STORM else ""
    data: Mapping[str, Any] = (notice.activity.data if notice.activity else None) or {}
    if notice.kind == DEPLOY:
        went = f"{versions.short(str(data['version']))} went to {data['environment']}"
        called = phrases.shortened(went, LONGEST_TITLE) if says_all else "A release was deployed"
    if notice.kind == RULE_CHANGED:
        called = mail_rule.did(notice)
    place = (project.organization.slug, project.slug, issue.id) if issue and project else None
    actor = notice.actor.name if notice.actor else ""
    text = f"{actor}: {data.get('text', '')}" if notice.kind == "comment" else _fixed_by(notice.kind, data)
    return Row(
        state=KINDS[notice.kind].word,
        tone=TONES.get(notice.kind, "plain"),
        short_id=notice.issue_short_id or "",
        title=called or (phrases.shortened(notice.issue_title or "", LONGEST_TITLE) if says_all else ""),
        numbers=_numbers(issue) if issue and says_all else (),
        said=(phrases.shortened(text, LONGEST_TITLE) if says_all else "") or _in_place_of(pile, notice),
        url=links.issue(*place) if place else "",
        notice_url=links.notice(notice.public_id),
        leave=_leave(pile, issue) if issue else None,
    )


def _fixed_by(kind: str, data: Mapping[str, Any]) -> str:
    return f"Fixed by {named_commit(data)}." if kind == "resolved" and data.get("commit") else ""


def _in_place_of(pile: Pile, notice: Notice) -> str:
    """Why its reader is told of an alert that was to go to an integration."""
    verdict = next((each for each in pile.verdicts if each.notice is notice), None)
    if verdict is None or Reason.RULE_INTEGRATION not in verdict.reasons:
        return ""
    place = verdict.params.get("because", {}).get("integration", "an integration that does not work")
    return f"By mail in place of {place}."


def _leave(pile: Pile, issue: Issue) -> tuple[str, str]:
    """The link that unsubscribes from this issue alone."""
    token = MailToken("issue", pile.reader.id, issue.id, pile.reader.mail_version)
    signed = sign(token, pile.site.token_keys)
    return f"Unsubscribe from {issue.short_id}", pile.site.links.unsubscribe(signed)


def _numbers(issue: Issue) -> tuple[str, ...]:
    return plural(issue.times_seen, "event"), plural(issue.users_seen, "user")


def shows(notice: Notice) -> bool:
    return detail_of(notice.project) != LINK


def leave_words(category: str, project: Project | None) -> str:
    """What the Unsubscribe link of a digest does."""
    whose = f"of {project.name}" if project else "of all projects"
    return {
        "alerts": f"Unsubscribe from alerts {whose}",
        "workflow": f"Unsubscribe from workflow changes {whose}",
        "deploys": "Unsubscribe from deploys of all organizations",
    }.get(category, "Unsubscribe from all notifications by mail")


def scope(pile: Pile) -> tuple[str, str, Project | None]:
    """What one press on Unsubscribe leaves: category, kind of token, and the project if it is about one."""
    project = pile.projects[0] if len(pile.projects) == 1 else None
    categories = pile.categories
    if len(categories) > 1 or not categories:
        return "digests", "everything", None
    if categories == {DEPLOYS}:
        return "deploys", "all_deploys", None
    category = "alerts" if categories == {ALERTS} else "workflow"
    return category, f"{'project' if project else 'all'}_{category}", project
