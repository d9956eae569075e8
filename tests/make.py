"""Rows and payloads for tests, with defaults for all that a test is not about: `make.issue(shop)`."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import event as events
from app.domain import short_id
from app.domain.event import Receipt
from app.domain.kinds import INTEGRATION_KINDS
from app.domain.scopes import SCOPES
from app.models import (
    AlertRule,
    ApiToken,
    ArtifactBundle,
    ArtifactBundleProject,
    ArtifactBundleRelease,
    ArtifactFile,
    Commit,
    Delivery,
    Destination,
    Environment,
    Event,
    Feedback,
    Issue,
    IssueHash,
    IssueText,
    Monitor,
    Notice,
    Organization,
    Project,
    ProjectKey,
    QuietHours,
    Release,
    ReleaseCommit,
    Repository,
    SavedSearch,
    Subscription,
    Team,
    User,
    Verdict,
)
from app.services.events import digest_issues, digesting, event_body
from app.services.events.stream_entry import CHECK_IN, ENVELOPE, Entry
from app.services.integrations import connecting
from app.services.integrations.connecting import Vault, Wishes
from app.services.issues import feedback, timeline
from app.services.mails import delivering
from app.services.owners import entrusting
from app.services.people import accounts, tokens, workspaces
from app.services.preferences import preferring
from app.services.releases import releases_seen
from app.services.sealing import Seal
from app.settings import Settings

PASSWORD = "correct horse battery"
_numbers = count(1)


def payload(title: str = "KeyError: cart", **members: Any) -> dict[str, Any]:
    """An event as an SDK sends it; `title` is `Type: value`, and its type decides the grouping."""
    kind, _, value = title.partition(": ")
    event = {
        "event_id": uuid.uuid4().hex,
        "timestamp": time.time(),
        "level": "error",
        "platform": "python",
        "environment": "production",
        "release": "shop@1.0.0",
        "transaction": "shop.cart.checkout",
        "tags": {"browser": "Firefox 128"},
        "user": {"id": "7", "email": "visitor@example.net"},
        "request": {"url": "https://shop.example.org/cart", "method": "POST"},
        "exception": {"values": [exception(kind, value)]},
    }
    return event | members


def exception(kind: str, value: str) -> dict[str, Any]:
    frames = [
        {
            "filename": "flask/app.py",
            "module": "flask.app",
            "function": "dispatch",
            "lineno": 902,
            "in_app": False,
        },
        {
            "filename": "shop/cart.py",
            "abs_path": "/srv/shop/cart.py",
            "module": "shop.cart",
            "function": "checkout",
            "lineno": 42,
            "in_app": True,
            "pre_context": ["def checkout(session):"],
            "context_line": '    total = session["cart"].total',
            "post_context": ["    return pay(total)"],
            "vars": {"session": {"user": "7"}},
        },
    ]
    return {"type": kind, "value": value, "stacktrace": {"frames": frames}}


def envelope(
    event: Mapping[str, Any] | None = None, *, items: Sequence[tuple[Mapping[str, Any], bytes]] = ()
) -> bytes:
    """The body of a POST to the envelope endpoint."""
    event = payload() if event is None else event
    lines = [json.dumps({"event_id": event["event_id"]}).encode()]
    for header, body in (({"type": "event"}, json.dumps(event).encode()), *items):
        lines += [json.dumps({**header, "length": len(body)}).encode(), body]
    return b"\n".join(lines) + b"\n"


@dataclass
class Make:
    """Bound to the session of a test; what it makes is flushed, and committed before the application acts."""

    session: Session
    now: datetime

    def user(
        self,
        name: str = "",
        *,
        email: str = "",
        password: str | None = None,
        verified: bool = True,
        **columns: Any,
    ) -> User:
        name = name or f"Person {next(_numbers)}"
        email = email or f"{name.lower().replace(' ', '.')}@example.org"
        user = accounts.create_user(
            self.session, email=email, name=name, password=password, verified=verified, now=self.now
        )
        return self._with(user, columns)

    def token(self, user: User, scopes: Sequence[str] = SCOPES) -> str:
        """The text of an API token, which stands in nobody's change log."""
        text = f"sntryu_{uuid.uuid4().hex * 2}"
        columns = {"scopes": list(scopes), "created_at": self.now}
        kept = {"token_hash": accounts.hashed(text), "last_characters": text[-4:]}
        self.session.add(ApiToken(user_id=user.id, **kept, **columns))
        self.session.flush()
        return text

    def organization_token(self, organization: Organization, url: str = "https://tocsin.example.org") -> str:
        """The text of an organization's own token."""
        return tokens.give_organization(self.session, organization, url=url, now=self.now)[1]

    def organization(self, slug: str = "", *, owner: User | None = None, **columns: Any) -> Organization:
        slug = slug or f"org-{next(_numbers)}"
        made = workspaces.create_organization(
            self.session, slug=slug, name=slug.capitalize(), owner=owner, now=self.now
        )
        return self._with(made, columns)

    def member(self, organization: Organization, user: User | None = None, *, role: str = "member") -> User:
        user = user or self.user()
        workspaces.add_member(self.session, organization, user, role=role, now=self.now)
        return user

    def team(self, organization: Organization, slug: str = "", *, members: Sequence[User] = ()) -> Team:
        team = workspaces.create_team(
            self.session, organization, slug=slug or f"team-{next(_numbers)}", now=self.now
        )
        for member in members:
            workspaces.add_to_team(self.session, team, member, now=self.now)
        return team

    def project(
        self,
        organization: Organization | None = None,
        slug: str = "",
        *,
        teams: Sequence[Team] = (),
        **columns: Any,
    ) -> Project:
        organization = organization or self.organization()
        slug = slug or f"project-{next(_numbers)}"
        made = workspaces.create_project(
            self.session,
            organization,
            slug=slug,
            name=slug.capitalize(),
            platform="python",
            teams=teams,
            now=self.now,
        )
        return self._with(made, columns)

    def key(self, project: Project) -> ProjectKey:
        key = workspaces.default_key(self.session, project)
        assert key is not None
        return key

    def issue(
        self, project: Project, *, title: str = "KeyError: cart", events: int = 0, **columns: Any
    ) -> Issue:
        """An issue that nobody was told of, with so many events of its own."""
        project.last_issue_number += 1
        kind, _, value = title.partition(": ")
        defaults: dict[str, Any] = {
            "culprit": "shop.cart.checkout",
            "message": value,
            "level": "error",
            "platform": "python",
            "details": {"type": kind, "value": value, "filename": "shop/cart.py", "function": "checkout"},
            "status": "unresolved",
            "resolved_at": self.now if columns.get("status") == "resolved" else None,
            "active_at": self.now,
            "first_seen": self.now,
            "last_seen": self.now,
            "times_seen": max(events, 1),
        }
        number = project.last_issue_number
        name = short_id.encode(project.slug, number)
        issue = Issue(project=project, number=number, short_id=name, title=title, **{**defaults, **columns})
        self.session.add(issue)
        self.session.flush()
        self.session.add(IssueText(**digest_issues.text_row(issue)))
        self.session.flush()
        for n in range(events):
            self.event(issue, at=self.now + timedelta(seconds=n))
        return issue

    def event(self, issue: Issue, *, at: datetime | None = None, **members: Any) -> Event:
        """A stored event of the issue, which from then on takes in others like it."""
        at = at or self.now
        sent = payload(issue.title, **{"timestamp": at.timestamp(), **members})
        regular = events.regular(sent, Receipt(event_id=sent["event_id"], received_at=at))
        event = Event(
            project_id=issue.project_id,
            issue_id=issue.id,
            event_id=sent["event_id"],
            timestamp=regular.timestamp,
            received_at=regular.received_at,
            level=regular.level,
            platform=regular.platform,
            type=regular.type,
            title=regular.title,
            culprit=regular.culprit,
            environment=regular.environment,
            release=regular.release,
            user_ident=regular.user_ident,
            hash=regular.hash,
            body=event_body.pack(regular.data),
        )
        self.session.add(event)
        self._take_in(issue, regular.hash, regular.hash_version)
        self.session.flush()
        return event

    def arrival(
        self, project: Project, title: str = "KeyError: cart", *, at: datetime | None = None, **members: Any
    ) -> Issue:
        """The issue of an event that came in and was digested, alert rules and all."""
        at = at or self.now
        sent = payload(title, **{"timestamp": at.timestamp(), **members})
        entry = Entry(project.id, ENVELOPE, at, envelope(sent), event_id=sent["event_id"])
        digesting.digest(self.session, [entry], now=at)
        self.session.expire_all()
        return self.session.scalars(
            select(Issue).join(Event, Event.issue_id == Issue.id).where(Event.event_id == sent["event_id"])
        ).one()

    def release(self, project: Project, version: str, *, at: datetime | None = None) -> Release:
        """A release of the project, as of now unless `at` says when; what waits for one takes effect."""
        found = select(Release).where(
            Release.organization_id == project.organization_id, Release.version == version
        )
        release = self.session.scalar(found)
        if release is None:
            release = Release(
                organization_id=project.organization_id, version=version, date_added=at or self.now
            )
            self.session.add(release)
            self.session.flush()
        link = {"release_id": release.id, "project_id": project.id}
        releases_seen.add_to_projects(self.session, [link])
        return release

    def repository(self, organization: Organization, name: str = "acme/shop", **columns: Any) -> Repository:
        found = select(Repository).where(
            Repository.organization_id == organization.id, Repository.name == name
        )
        made = self.session.scalar(found)
        if made is None:
            made = Repository(organization_id=organization.id, name=name, **{"is_shared": True, **columns})
            self.session.add(made)
            self.session.flush()
        return made

    def commit(
        self,
        organization: Organization,
        message: str = "Guard against an empty cart",
        *,
        repository: str = "acme/shop",
        author: User | str = "Ana Lima",
        key: str = "",
        release: Release | None = None,
    ) -> Commit:
        """A commit, and a part of the release if one is named. `author` is a user or a name."""
        commit = Commit(
            repository=self.repository(organization, repository),
            key=key or uuid.uuid4().hex + uuid.uuid4().hex[:8],
            message=message,
            author_name=author.name if isinstance(author, User) else author,
            author_email=author.email if isinstance(author, User) else "ana@example.net",
            date_added=self.now,
        )
        self.session.add(commit)
        self.session.flush()
        if release:
            self.in_release(commit, release)
        return commit

    def in_release(self, commit: Commit, *releases: Release) -> None:
        """Makes the commit a part of them, after those that are."""
        for release in releases:
            here = select(func.count()).where(ReleaseCommit.release_id == release.id)
            place = self.session.scalar(here)
            row = ReleaseCommit(release_id=release.id, commit_id=commit.id, position=place)
            self.session.add(row)
            self.session.flush()

    def subscription(
        self, issue: Issue, user: User, *reasons: str, state: str = "subscribed"
    ) -> Subscription:
        row = Subscription(
            issue_id=issue.id,
            user_id=user.id,
            state=state,
            reasons=list(reasons),
            updated_at=self.now,
            via="web",
        )
        self.session.add(row)
        self.session.flush()
        return row

    def choice(
        self, user: User, category: str, value: str, *, project: Project | None = None, kind: str = ""
    ) -> None:
        """What a person chose on the settings pages."""
        preferring.choose(
            self.session, user, category, value, project=project, kind=kind, via="web", now=self.now
        )

    def rule(self, project: Project, name: str = "Another rule", **columns: Any) -> AlertRule:
        """A rule that rings for every new issue, beside the one that every project begins with."""
        owners = {"id": "mail", "target": "owners", "fallback": "project"}
        given = {"conditions": [{"id": "first_seen"}], "actions": [owners], "created_at": self.now}
        rule = AlertRule(project_id=project.id, name=name, **{**given, **columns})
        self.session.add(rule)
        self.session.flush()
        return rule

    def quiet_now(self, *people: User, begins: timedelta = -timedelta(hours=1)) -> None:
        """Three quiet hours for each, on the real clock, which is what the application asks."""
        start = datetime.now(UTC) + begins
        minute = start.hour * 60 + start.minute
        hours = {"days": list(range(7)), "start_minute": minute, "end_minute": (minute + 180) % 1440}
        self.session.add_all(QuietHours(user_id=person.id, **hours) for person in people)
        self.session.flush()

    def notice(self, issue: Issue, kind: str = "alert.new", **columns: Any) -> Notice:
        """An unplanned notice about the issue, without an activity behind it; an alert of its first rule."""
        rule_id = None
        if kind.startswith("alert."):
            rules = (
                select(AlertRule.id).where(AlertRule.project_id == issue.project_id).order_by(AlertRule.id)
            )
            rule_id = self.session.scalar(rules.limit(1))
        row = timeline.notice_row(kind, issue, now=self.now, rule_id=rule_id)
        notice = Notice(**{**row, **columns})
        self.session.add(notice)
        self.session.flush()
        return notice

    def delivery(self, notice: Notice, user: User, *, state: str = "queued", **columns: Any) -> Delivery:
        """A mail on its way to a person, with the verdict behind it."""
        verdict = Verdict(
            notice_id=notice.id,
            subject="user",
            subject_id=user.id,
            channel="email",
            outcome="send",
            code="send",
            params={},
            reasons=["fallback_all"],
        )
        self.session.add(verdict)
        self.session.flush()
        defaults: dict[str, Any] = {
            "address": user.email,
            "data": {},
            "subject": f"{notice.issue_short_id} - {notice.issue_title}",
            "created_at": self.now,
            "send_at": self.now,
        }
        delivery = Delivery(
            public_id=delivering.new_id(),
            verdict_id=verdict.id,
            user_id=user.id,
            channel="email",
            kind=notice.kind,
            state=state,
            **{**defaults, **columns},
        )
        self.session.add(delivery)
        self.session.flush()
        return delivery

    def webhook(
        self, project: Project, url: str, settings: Settings, name: str = "Ops hook", **columns: Any
    ) -> Destination:
        """An integration that sends to the address, every kind of message."""
        vault = Vault(Seal(settings.credential_keys), settings.outbound_allow)
        wishes = Wishes(name, INTEGRATION_KINDS, {"url": url})
        by = self.session.scalars(select(User).order_by(User.id)).first() or self.user()
        made, _ = connecting.add(self.session, project, "webhook", wishes, vault, by=by, now=self.now)
        return self._with(made, columns)

    def rule_to(self, destination: Destination, *, mail: bool = False, **columns: Any) -> AlertRule:
        """A rule that sends new issues and regressions to an integration, with `mail` to people too."""
        actions = [{"id": "integration", "integration": destination.id, "tags": ["browser"]}]
        if mail:
            actions.append({"id": "mail", "target": "owners", "targetId": None, "fallback": "all"})
        return self.rule(destination.project, actions=actions, **columns)

    def _take_in(self, issue: Issue, fingerprint: str, version: int) -> None:
        if self.session.get(IssueHash, (issue.project_id, fingerprint)) is None:
            self.session.add(
                IssueHash(
                    project_id=issue.project_id, hash=fingerprint, hash_version=version, issue_id=issue.id
                )
            )

    def _with(self, row: Any, columns: Mapping[str, Any]) -> Any:
        for name, value in columns.items():
            assert hasattr(type(row), name), f"{type(row).__name__} has no {name}"
            setattr(row, name, value)
        self.session.flush()
        return row

    def owners(self, project: Project, raw: str, **switches: bool) -> None:
        """The project's issue owners: `owners(shop, "src/* #payments", auto_assign=True)`."""
        by = self.user()
        wishes = entrusting.Wishes(raw=raw, **switches)
        entrusting.save(self.session, project, wishes, by=by, via="page", now=self.now)
        self.session.flush()

    def environment(self, project: Project, name: str) -> None:
        """As if an event had come from there."""
        self.session.add(Environment(project_id=project.id, name=name, first_seen=self.now))
        self.session.flush()

    def check_in(
        self,
        project: Project,
        status: str = "ok",
        *,
        slug: str = "nightly-backup",
        at: datetime | None = None,
        every: str = "1 hour",
        **said: Any,
    ) -> Monitor:
        """A check-in that came in and was digested, of a job that runs `every` so often; its monitor."""
        at = at or self.now
        number, _, unit = every.partition(" ")
        config = {"schedule": {"type": "interval", "value": int(number), "unit": unit}, "checkin_margin": 5}
        said = {"monitor_slug": slug, "status": status, "monitor_config": config, **said}
        entry = Entry(project.id, CHECK_IN, at, json.dumps(said).encode(), event_id=uuid.uuid4().hex)
        digesting.digest(self.session, [entry], now=at)
        return self.session.scalars(
            select(Monitor).where(Monitor.project_id == project.id, Monitor.slug == slug)
        ).one()

    def saved_search(self, organization: Organization, user: User | None, **columns: Any) -> SavedSearch:
        """A person's own, or without one everybody's."""
        given = {"name": "Loud", "query": "level:error", "sort": "date", "created_at": self.now}
        row = SavedSearch(
            organization_id=organization.id, user_id=user.id if user else None, **{**given, **columns}
        )
        self.session.add(row)
        self.session.flush()
        return row

    def feedback(
        self,
        project: Project,
        comments: str = "It broke",
        *,
        event_id: str | None = None,
        name: str = "Jane",
        email: str = "jane@example.net",
    ) -> Feedback:
        """What somebody wrote about an event, which may be there or not."""
        words = feedback.Words(comments=comments, name=name, email=email)
        return feedback.keep(
            self.session, project, words, event_id=event_id or uuid.uuid4().hex, now=self.now
        )

    def release_file(self, project: Project, version: str, name: str = "~/app.min.js") -> ArtifactFile:
        """A single file that was uploaded for a release; its content is not there."""
        bundle = ArtifactBundle(
            organization_id=project.organization_id,
            checksum=uuid.uuid4().hex + uuid.uuid4().hex[:8],
            is_archive=False,
            chunks=[],
            state="ok",
            uploaded_at=self.now,
            used_at=self.now,
        )
        self.session.add(bundle)
        self.session.flush()
        self.session.add(ArtifactBundleProject(bundle_id=bundle.id, project_id=project.id))
        self.session.add(ArtifactBundleRelease(bundle_id=bundle.id, version=version, dist=""))
        file = ArtifactFile(
            bundle_id=bundle.id,
            kind="minified_source",
            url=name,
            sha1="ab" * 20,
            size=1,
            headers={},
            created_at=self.now,
        )
        self.session.add(file)
        self.session.flush()
        return file
