"""What a mail says of alerts that came together (E14), and of what came after too many messages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain import wording
from app.domain.phrases import plural, preheader, shortened
from app.models import Digest, Issue, Notice, Verdict
from app.services.calm import pacing, pausing
from app.services.mails import mail_digest, mail_paused
from app.services.mails.mail_detail import FULL, detail_of
from app.services.mails.mail_digest import LONGEST_TITLE, MOST_ROWS, Gathered, Group, Pile, Row
from app.services.mails.mail_records import Records

MOST_ISSUES = 50
MOST_NAMED = 8
# What an issue is listed as: the first of these that was told of it.
STATES = ("alert.new", "alert.regression", "alert.again")
# Code → why an issue that waited is not in the list, said to the reader.
DROPPED: Mapping[str, str] = {
    "issue_ignored": "ignored",
    "issue_unsubscribed": "you unsubscribed",
    "issue_muted": "muted by you",
    "rule_muted_me": "its rule is muted by you",
}


def gathered(pile: Pile) -> Gathered:
    if pile.digest.kind == pacing.TOGETHER:
        return _alerts(pile)
    if pile.digest.kind == pausing.PAUSED:
        return mail_paused.gathered(pile)
    return _too_many(pile) if pile.digest.kind == pacing.CAPPED else mail_digest.gathered(pile)


@dataclass(frozen=True, slots=True)
class Listed:
    """An issue of the list, with its alerts and the rules that fired.

    `numbers` are its events and users in the time; of a new one all.
    """

    alerts: Sequence[Notice]
    rules: frozenset[str]
    numbers: tuple[int, int]

    @property
    def first(self) -> Notice:
        """The one that says most of what became of the issue."""
        return min(self.alerts, key=lambda notice: STATES.index(notice.kind))

    @property
    def rank(self) -> tuple[int, int, int]:
        return (*(-number for number in self.numbers), self.first.issue_id or 0)  # type: ignore[return-value]


def _span(pile: Pile) -> tuple[datetime, datetime]:
    """From the message before to this one."""
    digest = pile.digest
    since = digest.data.get("since")
    return datetime.fromisoformat(since) if since else digest.opened_at, digest.closed_at or digest.send_at


def _alerts(pile: Pile) -> Gathered:
    first, last = _span(pile)
    listed = _listed(pile, first, last)
    project = pile.projects[0].name
    span = f"{pile.moments.minute(first)} to {pile.moments.minute(last)}"
    heading = f"{plural(len(listed), 'more issue')} in {project}"
    return Gathered(
        subject=f"{heading} · {span}",
        heading=heading,
        beside=(project, span),
        preheader=preheader(f"{_kinds(listed)}.", *_worst(listed)),
        lines=_lines(pile, first),
        groups=_sections(pile, listed[:MOST_ISSUES]),
        left_out=max(len(listed) - MOST_ISSUES, 0),
        after=tuple(filter(None, (_not_here(pile, listed), _counted(pile.digest), _window(pile)))),
        why=f"alert rules of {project} fired, and you would have been told of each issue",
        switch=("Batching for alerts: change", pile.site.links.batching()),
        open=mail_digest.opening(pile),
    )


def _listed(pile: Pile, first: datetime, last: datetime) -> list[Listed]:
    """The issues; who had most events in the time comes first."""
    alerts: dict[int, list[Notice]] = defaultdict(list)
    for notice in pile.notices:
        alerts[notice.issue_id or 0].append(notice)
    rules = pile.records.rules(pile.digest, pile.notices)
    earliest = min([first, *(notice.occurred_at for notice in pile.notices)])
    numbers = pile.records.counted(pile.notices, earliest, last)
    found = [
        Listed(
            theirs,
            frozenset(rule for notice in theirs for rule in rules.get(notice.id, ())),
            _lifetime(theirs) or numbers.get(issue_id, (0, 0)),
        )
        for issue_id, theirs in alerts.items()
    ]
    return sorted(found, key=lambda each: each.rank)


def _lifetime(alerts: Sequence[Notice]) -> tuple[int, int] | None:
    """All that an issue had which is new: its first events may have come before the mail before this one."""
    new = next((notice.issue for notice in alerts if notice.kind == "alert.new"), None)
    return (new.times_seen, new.users_seen) if new else None


def _kinds(listed: Sequence[Listed]) -> str:
    return mail_digest.kinds([each.first for each in listed])


def _worst(listed: Sequence[Listed]) -> tuple[str, ...]:
    worst = listed[0]
    if not mail_digest.shows(worst.first):
        return ()
    return (f"Worst: {worst.first.issue_title}, {plural(worst.numbers[0], 'event')}.",)


def _lines(pile: Pile, first: datetime) -> tuple[str, ...]:
    sent = f"An alert of {pile.projects[0].name} was sent to you at {pile.moments.minute(first)}."
    says_all = mail_digest.shows(pile.notices[0])
    counted = ", with their events and users since then; of a new issue, all it had" if says_all else ""
    return (f"{sent} These came after it{counted}.",)


def _sections(pile: Pile, listed: Sequence[Listed]) -> tuple[Group, ...]:
    """By rule, those with most issues first. What two rules told of is in both."""
    of_rule: dict[str, list[Listed]] = defaultdict(list)
    for each in listed:
        for rule in each.rules or ("",):
            of_rule[rule].append(each)
    ordered = sorted(of_rule.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Group(
            f"{f'“{rule}”' if rule else 'A rule that no longer exists'} · {plural(len(theirs), 'issue')}",
            tuple(_row(pile, each) for each in theirs),
        )
        for rule, theirs in ordered
    )


def _row(pile: Pile, listed: Listed) -> Row:
    notice = listed.first
    row, issue = mail_digest.row(pile, notice), notice.issue
    if issue is None or not mail_digest.shows(notice):
        return row
    events, users = listed.numbers
    says_where = detail_of(notice.project) == FULL
    return replace(
        row,
        numbers=(plural(events, "event"), plural(users, "user")),
        culprit=shortened(issue.culprit, LONGEST_TITLE) if says_where else "",
        facts=_facts(pile, issue),
    )


def _facts(pile: Pile, issue: Issue) -> str:
    """ "Error · first seen 09:15, last seen 09:18 · assigned to Ana"."""
    first, last = map(pile.moments.minute, (issue.first_seen, issue.last_seen))
    seen = f"first seen {first}, last seen {last}"
    team, user = issue.assignee_team, issue.assignee_user
    assignee = f"#{team.slug}" if team else user.name if user else ""
    has = f"assigned to {assignee}" if assignee else "assigned to nobody"
    return " · ".join((issue.level.capitalize(), seen, has))


def _not_here(pile: Pile, listed: Sequence[Listed]) -> str:
    """What waited with these and is told of otherwise, or not at all."""
    shown = {each.first.issue_short_id for each in listed}
    alone, dropped = pile.records.not_in(pile.digest)
    named = {notice.issue_short_id: "already sent on its own" for notice in alone}
    named |= {verdict.notice.issue_short_id: _why_dropped(verdict) for verdict in dropped}
    said = [f"{name} ({why})" for name, why in named.items() if name and name not in shown]
    more = f" and {len(said) - MOST_NAMED} more" if len(said) > MOST_NAMED else ""
    return f"Not in this list: {', '.join(said[:MOST_NAMED])}{more}." if said else ""


def _why_dropped(verdict: Verdict) -> str:
    issue = verdict.notice.issue
    if verdict.code == "no_longer_open":
        return "resolved" if issue and issue.status == "resolved" else "deleted"
    return DROPPED.get(verdict.code, "no longer for you")


def _counted(digest: Digest) -> str:
    count = digest.data.get("counted", 0)
    return f"And {plural(count, 'older alert')} that are only counted, so many came." if count else ""


def _window(pile: Pile) -> str:
    """Whose window it is: "Batching for alerts: 5 min (project)."."""
    pace = wording.pace_words(pile.verdicts[-1].params)
    return f"Batching for alerts: {pace}." if pace else ""


def _too_many(pile: Pile) -> Gathered:
    """What was to be told after so many messages within an hour, by project."""
    first, last = pile.digest.opened_at, pile.digest.closed_at or pile.digest.send_at
    span = f"{pile.moments.minute(first)} to {pile.moments.minute(last)}"
    heading = plural(len(pile.notices), "more message")
    most = pacing.MOST_IN_AN_HOUR
    together = f"{most} messages within an hour are the most; what comes then comes together."
    return Gathered(
        subject=f"{heading} · {span}",
        heading=heading,
        beside=tuple(project.name for project in pile.projects[:3]),
        preheader=preheader(f"{mail_digest.kinds(pile.notices)}.", together),
        lines=(together, f"In this one: {mail_digest.kinds(pile.notices)}."),
        groups=mail_digest.groups(pile, MOST_ROWS),
        left_out=max(len(pile.notices) - MOST_ROWS, 0),
        after=tuple(filter(None, (_counted(pile.digest), "Fatal alerts and required rules do not wait."))),
        why=f"you were sent {most} messages within an hour, and would have been sent these too",
        switch=("How much you are sent: help", pile.site.links.mail_help()),
        open=mail_digest.opening(pile),
    )


def alone(verdicts: Sequence[Verdict]) -> tuple[Verdict, list[Verdict]]:
    """Of alerts about one issue the latest, which speaks for all, and the others."""
    *earlier, latest = sorted(verdicts, key=lambda each: (each.notice.occurred_at, each.id or 0))
    return latest, earlier


def along(records: Records, verdict: Verdict, others: Sequence[Verdict]) -> list[Verdict]:
    """Of the rules that the mail about this verdict tells of besides its own, one verdict each."""
    user_id, told = verdict.subject_id, {verdict.notice.rule_id}
    found: list[Verdict] = []
    carried = (each for one in (verdict, *others) for each in records.carried(one.notice, user_id))
    for each in (*others, *carried):
        if each.notice.rule_id is None or each.notice.rule_id not in told:
            told.add(each.notice.rule_id)
            found.append(each)
    return found
