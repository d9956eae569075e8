"""What made-up mails are of, for the gallery and for tests: rows that were never stored.

Nothing here is of a real person or project.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain import short_id
from app.domain.storms import Cause
from app.models import (
    Activity,
    AlertRule,
    Delivery,
    Digest,
    Event,
    Issue,
    Notice,
    Organization,
    Project,
    Team,
    User,
    Verdict,
)
from app.services.calm.storm_issues import Issues
from app.services.events import event_body
from app.services.mails.mail_sample_texts import Texts
from app.services.releases.deploy_facts import Deployed
from app.services.releases.deploys_then import Live

AT = datetime(2026, 11, 23, 8, 14, 3, tzinfo=UTC)
ZONE = "Europe/Paris"
SHA = "1f0c3aa94e2b7d6c5a8f90e1d2c3b4a5968778ab"


@dataclass
class Scenery:
    """People, a project and an issue that never were. Ids are small numbers, for tokens need some."""

    texts: Texts
    detail: str = "full"
    enhanced_privacy: bool = False
    zone: str = ZONE
    known: dict[str, Any] = field(default_factory=dict)

    def person(self, number: int, name: str) -> User:
        return User(id=number, name=name, timezone=self.zone, mail_version=1, addresses=[])

    @property
    def reader(self) -> User:
        return self.person(1, self.texts.reader)

    @property
    def actor(self) -> User:
        return self.person(2, self.texts.actor)

    def project(self) -> Project:
        """The same each time, so that several issues can share it."""
        if "project" not in self.known:
            acme = Organization(
                id=1, slug="acme", name="Acme", enhanced_privacy=self.enhanced_privacy, created_at=AT
            )
            self.known["project"] = Project(
                id=1,
                organization=acme,
                slug="checkout",
                name=self.texts.project,
                subject_prefix="",
                subject_template="",
                mail_detail=self.detail,
                resolve_age_hours=336,
            )
        made: Project = self.known["project"]
        return made

    def issue(self, number: int = 143, **columns: Any) -> Issue:
        name = short_id.encode("checkout", number)
        title = " ".join(self.texts.title.split())
        guarded = self.detail == "link" or self.enhanced_privacy
        defaults: dict[str, Any] = {
            "status": "unresolved",
            "level": "error",
            "first_seen": AT - timedelta(days=9, hours=3),
            "last_seen": AT - timedelta(minutes=4),
            "times_seen": 412,
            "users_seen": 87,
            "first_release": self.texts.release or None,
            "mail_subject": name if guarded else f"{name} - {title}"[:128],
        }
        return Issue(
            id=number,
            number=number,
            project=self.project(),
            short_id=name,
            title=title[:255],
            culprit=self.texts.culprit,
            **{**defaults, **columns},
        )

    def event(self) -> Event | None:
        """The event that caused a notice, unless it is gone."""
        if not self.texts.has_event:
            return None
        return Event(
            id=1,
            event_id="8f21c0de9a4b4d6e8f21c0de9a4b4d6e",
            timestamp=AT,
            level="error",
            environment=self.texts.environment,
            release=self.texts.release or None,
            body=event_body.pack(_body(self.texts)),
        )


OWN = ("renderTotals", "CartPage.update", "Checkout.open", "Basket.load")


def _frame(number: int, texts: Texts) -> dict[str, Any]:
    """The innermost is number 1; every other one is the application's own."""
    own = number % 2 == 1
    name = OWN[number // 2 % len(OWN)]
    return {
        "filename": f"cart/{name.partition('.')[0].lower()}.js"
        if own
        else "node_modules/framework/render.js",
        "function": f"{name}{texts.message[:100] if texts.frames > 100 else ''}" if own else "update",
        "lineno": 48 + number * 7,
        "context_line": f"  return cart.total.amount  // {texts.message[:200]}" if number == 1 else "",
        "in_app": own,
    }


def _body(texts: Texts) -> dict[str, Any]:
    """An event's regular data, as much of it as mails read."""
    frames = [_frame(n, texts) for n in range(texts.frames, 0, -1)]
    raised = {
        "type": "TypeError",
        "value": texts.message,
        "mechanism": {"type": "onerror", "handled": False},
        "stacktrace": {"frames": frames},
    }
    return {
        "exception": [raised],
        "request": {"url": "https://shop.example.com/cart?token=not-shown"},
        "user": {"id": "8f21c0de"},
        "tags": [["browser", "Firefox 132"]],
    }


class MadeUp:
    """What `mail_records.Records` asks, answered without a database."""

    def __init__(self, scenery: Scenery) -> None:
        self.scenery = scenery
        self.of_events = ("alert.new", "alert.regression", "alert.again", "regression", "unignored")

    def event(self, notice: Notice) -> Event | None:
        return self.scenery.event() if notice.kind in self.of_events and notice.event_id else None

    def event_before(self, event: Event) -> datetime | None:
        return event.timestamp - timedelta(days=11, hours=2)

    def hours(self, issue: Issue, until: datetime) -> Sequence[int]:
        return [0] * 15 + [1, 0, 2, 1, 3, 2, 5, 21, 3] if self.scenery.texts.has_event else [0] * 24

    def settled(self, notice: Notice) -> Activity | None:
        data = {"version": "4.1.7"} if self.scenery.texts.has_event else {}
        type_ = "set_resolved_in_release" if data else "set_resolved"
        return Activity(
            type=type_, actor=self.scenery.reader, data=data, created_at=AT - timedelta(days=11, hours=5)
        )

    def person(self, user_id: int | None) -> str:
        return self.scenery.texts.reader if user_id else ""

    def looks_after(self, project: Project, user_id: int) -> bool:
        return True

    def told(self, notice: Notice, user_ids: Collection[int]) -> int:
        return max(len(user_ids) - 1, 0)

    def carried(self, notice: Notice, user_id: int) -> Sequence[Verdict]:
        carried: Sequence[Verdict] = self.scenery.known.get("carried", ())
        return carried

    def rang(self, digest: Digest) -> Sequence[Notice]:
        issue = self.scenery.issue(9, level="fatal")
        return [Notice(issue=issue, project=issue.project, issue_short_id=issue.short_id)]

    def rules(self, digest: Digest, notices: Sequence[Notice]) -> Mapping[int, Collection[str]]:
        found = {notice.id: {notice.rule.name} for notice in notices if notice.rule}
        for notice in (each for each in notices[:2] if each.rule):
            found[notice.id].add(f"{self.scenery.texts.rule[:40]} of checkout")
        return found

    def counted(
        self, notices: Sequence[Notice], first: datetime, last: datetime
    ) -> Mapping[int, tuple[int, int]]:
        ids = dict.fromkeys(notice.issue_id or 0 for notice in notices)
        return {issue_id: (214 // place, 61 // place) for place, issue_id in enumerate(ids, start=1)}

    def storm(self, notice: Notice, most: int) -> Issues:
        found = [self.scenery.issue(50 + n, times_seen=214 // n, users_seen=61 // n) for n in range(1, 38)]
        cause = Cause(self.scenery.texts.release, 34, AT) if self.scenery.texts.release else None
        return Issues(len(found), found[:most], cause)

    def suspect(self, issue: Issue, event: Event) -> str:
        line = " ".join(self.scenery.texts.commit.split())[:80]
        return f"{SHA[:7]} “{line}” by {self.scenery.texts.other}" if line else ""

    def deployed(self, issue: Issue, event: Event) -> Live | None:
        texts = self.scenery.texts
        return Live(texts.environment, AT - timedelta(minutes=12), texts.other) if texts.release else None

    def live(self, notice: Notice, version: str) -> Live | None:
        return Live(self.scenery.texts.environment) if self.scenery.texts.environment else None

    def deploy(self, notice: Notice, reader: User) -> Deployed:
        made: Deployed = self.scenery.known["deployed"]
        return made

    def not_in(self, digest: Digest) -> tuple[Sequence[Notice], Sequence[Verdict]]:
        alone = of_notice(self.scenery, "alert.new", issue=self.scenery.issue(143))
        dropped = of_notice(self.scenery, "alert.new", issue=self.scenery.issue(75), number=75)
        dropped.verdicts[0].code = "issue_ignored"
        return [alone], dropped.verdicts


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail of the gallery: `make` gives the delivery that is to be composed."""

    name: str
    title: str
    make: Callable[[Scenery], Delivery]


def delivery(scenery: Scenery, kind: str, **columns: Any) -> Delivery:
    return Delivery(
        id=1,
        public_id="d.4k2p9x",
        user=scenery.reader,
        channel="email",
        kind=kind,
        address="priya@example.com",
        created_at=AT,
        send_at=AT,
        **{"data": {}, "subject": "", **columns},
    )


def of_notice(
    scenery: Scenery,
    kind: str,
    *reasons: str,
    activity: str = "",
    data: Mapping[str, Any] | None = None,
    by_person: bool = True,
    issue: Issue | None = None,
    number: int = 1,
    **params: Any,
) -> Notice:
    """A notice with the reader's verdict about it."""
    about = issue or scenery.issue()
    actor = scenery.actor if activity and by_person else None
    is_alert = kind.startswith("alert.")
    happened = (
        Activity(id=number, type=activity, actor=actor, data=dict(data or {}), created_at=AT)
        if activity
        else None
    )
    notice = Notice(
        id=number,
        public_id=f"n_{number:016x}",
        kind=kind,
        project_id=1,
        issue_id=about.id,
        project=about.project,
        issue=about,
        issue_short_id=about.short_id,
        issue_title=about.title,
        event_id="8f21c0de9a4b4d6e8f21c0de9a4b4d6e" if is_alert or not by_person else None,
        activity=happened,
        actor=actor,
        rule=AlertRule(name=scenery.texts.rule) if is_alert and scenery.texts.rule else None,
        data={"members": 9},
        occurred_at=AT,
        mail_epoch=1,
    )
    outcome = params.pop("outcome", "send")
    Verdict(notice=notice, outcome=outcome, reasons=list(reasons), params={"scope": "built-in", **params})
    return notice


def single(scenery: Scenery, *args: Any, **facts: Any) -> Delivery:
    """The delivery of one notice."""
    notice = of_notice(scenery, *args, **facts)
    subject = notice.issue.mail_subject if notice.issue else ""
    return delivery(scenery, notice.kind, verdict=notice.verdicts[0], subject=subject or "")


def several(scenery: Scenery, kind: str, notices: Iterator[Notice]) -> Delivery:
    """The delivery of a digest that holds these."""
    verdicts = [notice.verdicts[0] for notice in notices]
    made = Digest(
        id=1,
        public_id="g_1",
        kind=kind,
        key=kind,
        user_id=1,
        opened_at=AT - timedelta(hours=11),
        send_at=AT,
        data={},
        verdicts=verdicts,
    )
    return delivery(scenery, "digest", digest=made)


def commit(scenery: Scenery) -> dict[str, Any]:
    """A commit as activities keep it."""
    line = next(iter(scenery.texts.commit.splitlines()), "")
    url = f"https://git.example.com/acme/shop/commit/{SHA}" if line else ""
    return {"commit": SHA, "line": line, "author": scenery.texts.other, "repository": "acme/shop", "url": url}


def teammate(scenery: Scenery) -> dict[str, Any]:
    return {"type": "user", "id": 3, "name": scenery.texts.other}


def team(scenery: Scenery) -> Team:
    return Team(id=1, slug="payments", name="Payments")
