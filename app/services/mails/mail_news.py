"""What a mail about an issue says, before any layout: both of its parts print these words, in this order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain import commits, phrases
from app.domain.excerpt import Excerpt, excerpt
from app.domain.kinds import ALERTS, KINDS
from app.domain.moments import Moments
from app.domain.phrases import preheader
from app.models import Event, Issue, Notice, Project
from app.services.events import event_body
from app.services.mails.mail_detail import FULL
from app.services.mails.mail_records import Records

LONGEST_VERSION, LONGEST_STATE, LONGEST_COMMIT = 60, 30, 120
Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class News:
    """`state` is the state word, `tone` its shape and colour, `beside` what stands next to it.

    `quote` is what a person wrote; `excerpt` what the event says; `after` comes below both.
    """

    state: str
    tone: str
    preheader: str
    lines: tuple[str, ...]
    beside: tuple[str, ...] = ()
    chart: tuple[str, str] | None = None  # the bars, and what they show in words
    intro: str = ""
    excerpt: Excerpt | None = None
    quote: str = ""
    names: tuple[str, ...] = ()  # that were told as it was written
    after: tuple[str, ...] = ()
    rows: Rows = ()
    link: tuple[str, str] | None = None  # to another place: its name and address
    act: str = "Assign, resolve or ignore it"

    def within(self, *, frames: int, characters: int) -> "News":
        """The same with less of what can be long."""
        less = self.excerpt.shortened(frames) if self.excerpt else None
        return replace(self, excerpt=less, quote=_cut(self.quote, characters))


def _cut(text: str, most: int) -> str:
    more = len(text) - most
    return text if more <= 0 else f"{text[:most].rstrip()}… {more:,} more characters"


class Scene:
    """One notice as one group of readers meets it. Anything may be missing: events go, names are empty."""

    def __init__(
        self,
        notice: Notice,
        reasons: Sequence[str],
        moments: Moments,
        records: Records,
        *,
        detail: str,
        names_reader: bool,
        rules: Sequence[str] = (),
        handed: str = "",
    ) -> None:
        self.notice, self.reasons, self.moments, self.records = notice, list(reasons), moments, records
        self.detail = detail
        self.names_reader = names_reader  # this very change does; not an earlier one
        self.rules = tuple(rules)  # those whose alerts are told with it
        self.handed = handed  # to whom the issue went with it
        self.data: Mapping[str, Any] = (notice.activity.data if notice.activity else None) or {}
        self.event: Event | None = records.event(notice)

    @property
    def issue(self) -> Issue:
        if self.notice.issue is None:
            raise LookupError(f"notice {self.notice.public_id} has lost its issue")
        return self.notice.issue

    @property
    def project(self) -> Project:
        return self.issue.project

    @property
    def actor(self) -> str:
        return self.notice.actor.name if self.notice.actor else "Tocsin"

    @property
    def at(self) -> datetime:
        """When it happened: the event's time, where an event is behind it."""
        return self.event.timestamp if self.event else self.notice.occurred_at

    @property
    def release(self) -> str:
        return _version((self.event.release if self.event else None) or "")

    @property
    def version(self) -> str:
        """The release that what happened is about, where it names one."""
        return _version(str(self.data.get("version") or ""))

    @property
    def environment(self) -> str:
        return phrases.one_line(self.event.environment) if self.event else ""

    @property
    def counts(self) -> str:
        return phrases.counts(self.issue.times_seen, self.issue.users_seen)

    @property
    def standing(self) -> str:
        """The issue's state in words: "resolved on 12 Nov"."""
        resolved_at = self.issue.resolved_at
        return f"resolved on {self.moments.day(resolved_at)}" if resolved_at else self.issue.status

    @property
    def assignee(self) -> str:
        team = self.issue.assignee_team
        if team:
            return f"#{team.slug}"
        return self.issue.assignee_user.name if self.issue.assignee_user else ""

    def excerpt(self) -> Excerpt | None:
        """What the event says, where mails may say it."""
        if self.detail != FULL or self.event is None:
            return None
        return excerpt(event_body.unpack(self.event.body))

    def chart(self) -> tuple[str, str] | None:
        """The day before, hour by hour, and the same in words."""
        hours = self.records.hours(self.issue, self.at)
        total = sum(hours)
        if not total:
            return None
        return phrases.bars(
            hours
        ), f"{phrases.plural(total, 'event')} in 24 hours, busiest hour {max(hours):,}"


def _version(text: str) -> str:
    """Never broken over two lines: what stood at the beginning of one would look like words of ours."""
    return phrases.shortened(text, LONGEST_VERSION).replace(" ", "\xa0")


def alert(scene: Scene) -> News:
    """E1, and alerts about an issue that is known already."""
    event = scene.excerpt()
    state = KINDS[scene.notice.kind].word
    where = f" in {scene.environment}" if scene.environment else ""
    release = f", release {scene.release}" if scene.release else ""
    known = f"{_seen(scene)}{release}{_deployed(scene)}."
    return News(
        state=state,
        tone={"alert.new": "new", "alert.regression": "regressed"}.get(scene.notice.kind, "again"),
        beside=_places(scene),
        preheader=preheader(f"{state}{where}{release}.", f"{scene.counts} so far."),
        lines=(f"{known} {scene.counts} so far.", *_handed(scene)),
        excerpt=event,
        rows=_rows(scene, event),
    )


def _deployed(scene: Scene) -> str:
    """ " (deployed 09:02 by Sam Okoro)", where somebody told of it."""
    live = scene.records.deployed(scene.issue, scene.event) if scene.event else None
    if live is None or live.at is None:
        return ""
    by = f" by {live.by}" if live.by else ""
    return f" (deployed {scene.moments.minute(live.at)}{by})"


def _handed(scene: Scene) -> tuple[str, ...]:
    return (scene.handed,) if scene.handed else ()


def _seen(scene: Scene) -> str:
    when = scene.moments.when(scene.at)
    kind = scene.notice.kind
    if kind == "alert.regression":
        return f"It was resolved and came back {when}"
    return f"First seen {when}" if kind == "alert.new" else f"Seen again {when}"


def _places(scene: Scene) -> tuple[str, ...]:
    return tuple(place for place in (scene.project.name, scene.environment) if place)


def _rows(scene: Scene, event: Excerpt | None) -> Rows:
    assigned = (("Assigned to", scene.assignee),) if scene.assignee else ()
    return (
        ("Level", scene.event.level if scene.event else scene.issue.level),
        *assigned,
        *(event.traits if event else ()),
        *_suspect(scene, event),
        *rules(scene),
    )


def _suspect(scene: Scene, shown: Excerpt | None) -> Rows:
    """Where mails may say what the event says."""
    found = scene.records.suspect(scene.issue, scene.event) if shown and scene.event else ""
    return (("Suspect commit", found),) if found else ()


def rules(scene: Scene) -> Rows:
    """The alert rules that rang: its own, and those whose alerts it takes along."""
    own = (scene.notice.rule.name if scene.notice.rule else "no longer exists",)
    names = (*(own if KINDS[scene.notice.kind].category == ALERTS else ()), *scene.rules)
    if not names:
        return ()
    return (("Rule" if len(names) == 1 else "Rules", phrases.listed(names)),)


def regression(scene: Scene) -> News:
    """E2: what was resolved came back, by which event, how long after."""
    quiet = _quiet(scene)
    after = f" after {quiet}" if quiet else ""
    release = f" in {scene.release}" if scene.release else ""
    event = scene.excerpt()
    return News(
        state="Regressed",
        tone="regressed",
        beside=_places(scene),
        preheader=preheader(f"Regressed{release}{after}.", f"{scene.counts}."),
        lines=(
            f"{_was_resolved(scene)} It came back{after}: {scene.moments.when(scene.at)}{_against(scene)}.",
            f"{scene.counts} since {scene.moments.day(scene.issue.first_seen)}.",
            *_handed(scene),
        ),
        chart=scene.chart(),
        intro="What came back:" if event else "",
        excerpt=event,
        rows=_rows(scene, event),
    )


def _quiet(scene: Scene) -> str:
    """How long nothing had been seen: "11 quiet days"."""
    before = scene.records.event_before(scene.event) if scene.event else None
    if before is None:
        return ""
    number, unit = divmod_span((scene.at - before).total_seconds())
    return f"{number:,} quiet {unit}{'' if number == 1 else 's'}" if number else ""


def divmod_span(seconds: float) -> tuple[int, str]:
    """Whole days, or hours below one; 0 below an hour."""
    days, hours = int(seconds // 86400), int(seconds // 3600)
    return (days, "day") if days else (hours, "hour")


def _was_resolved(scene: Scene) -> str:
    settled = scene.records.settled(scene.notice)
    if settled is None:
        return "It was resolved."
    by = f" by {settled.actor.name}" if settled.actor else ""
    return f"Resolved on {scene.moments.day(settled.created_at)}{by}{_where(scene, settled.data)}."


def _where(scene: Scene, settled: Mapping[str, Any]) -> str:
    """In which release it was to be over."""
    than = _version(str(scene.data.get("than") or ""))
    if scene.data.get("pending"):
        return f" in the next release after {than}" if than else " in the next release"
    release = _version(str(settled.get("version") or ""))
    return f" in release {release}" if release else ""


def _against(scene: Scene) -> str:
    """The release that it came back in, compared with the one that the resolution names."""
    if not scene.release:
        return ""
    than = _version(str(scene.data.get("than") or ""))
    same = (
        ", the release that it was resolved in" if than == scene.release else f", which is newer than {than}"
    )
    return f" in {scene.release}{same if than else ''}"


def reopened(scene: Scene) -> News:
    """Somebody reopened it, perhaps as a commit does not fix it; or that commit no longer says so."""
    was = scene.data.get("was") or "resolved"
    did = "took a change back" if scene.data.get("undone") else "reopened this"
    lines = (f"{scene.actor} {did}; it was {was}. Its alert rules apply again.",)
    if scene.data.get("refuted"):
        lines = (
            f"{_by_commit(scene)}, which does not fix it, as {scene.actor} says. So it is unresolved again, "
            "and its alert rules apply.",
        )
    elif scene.notice.actor is None:
        lines = (
            f"{_by_commit(scene)}, which no longer names it: the commit was changed. So it is unresolved "
            "again, and its alert rules apply.",
        )
    return News(
        state="Reopened",
        tone="again",
        beside=(scene.project.name,),
        preheader=preheader(f"Reopened by {scene.actor}; it was {was}.", f"{scene.counts}."),
        lines=(*lines, _last_seen(scene)),
    )


def _by_commit(scene: Scene) -> str:
    """ "It was resolved in release 4.2.2 by commit 1f0c3aa “Guard against empty cart”"."""
    release = f" in release {scene.version}" if scene.version else ""
    return f"It was resolved{release} by {named_commit(scene.data)}"


def named_commit(data: Mapping[str, Any]) -> str:
    """commit 1f0c3aa “Guard against empty cart”, as an activity keeps it."""
    line = phrases.shortened(str(data.get("line") or ""), LONGEST_COMMIT)
    said = f" “{line}”" if line else ""
    return f"commit {commits.short(str(data['commit']))}{said}" if data.get("commit") else "a commit"


def _last_seen(scene: Scene) -> str:
    issue, moments = scene.issue, scene.moments
    first, last = moments.when(issue.first_seen), moments.ago(issue.last_seen)
    return f"{scene.counts}, the last one {last}. First seen {first}."


def bare(scene: Scene) -> News:
    """Where a mail may say nothing about the error: what happened to the issue, and by whom."""
    kind, actor = scene.notice.kind, scene.actor
    what = BARE.get(kind, "{actor} changed it.").format(actor=actor, was=scene.data.get("was") or "resolved")
    event = (("Event", f"{scene.event.event_id}, {scene.moments.when(scene.at)}"),) if scene.event else ()
    word = KINDS[kind].word
    return News(
        state=word,
        tone="plain",
        beside=(scene.project.name,),
        preheader=preheader(f"{word} in {scene.project.name}.", what, "Details are on its page only."),
        lines=(what, *_handed(scene), "This mail says no more: open the issue to see what it is about."),
        rows=(*event, *rules(scene)),
    )


BARE: Mapping[str, str] = {
    "alert.new": "A new issue came up, and an alert rule fired.",
    "alert.regression": "A resolved issue came back, and an alert rule fired.",
    "alert.again": "An alert rule fired again.",
    "regression": "It was resolved and came back.",
    "resolved": "{actor} resolved this.",
    "reopened": "{actor} reopened this; it was {was}.",
    "unignored": "It is no longer ignored, and its alert rules apply again.",
    "comment": "{actor} commented.",
}
Writer = Callable[[Scene], News]
