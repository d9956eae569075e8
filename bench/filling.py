"""A database with many issues and events, written in bulk: what lists and pages are timed on."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from app.domain import event as events
from app.domain import short_id
from app.domain.event import Receipt
from app.models import (
    Activity,
    Delivery,
    Environment,
    Event,
    Issue,
    IssueHour,
    IssueTag,
    IssueText,
    IssueTrait,
    Notice,
    Organization,
    Project,
    Release,
    ReleaseProject,
    User,
    Verdict,
)
from app.services.events import digest_issues, event_body
from app.services.issues import timeline
from app.services.mails import delivering
from app.services.people import accounts, workspaces
from app.services.upserting import insert_all
from bench import payloads

NOW = datetime.now(UTC).replace(microsecond=0)
BATCH, RELEASES = 5000, 200
WORDS = (
    *("cart", "order", "payment", "session", "invoice"),
    *("coupon", "address", "customer", "basket", "refund"),
)


def fill(session: Session, *, issues: int, many_events: int) -> tuple[User, Organization, list[Project]]:
    """A project with so many issues, and a second one with a fifth as many; the events lie in the first."""
    chance = random.Random(1)
    user = accounts.create_user(session, email="bench@example.org", name="Bench", verified=True, now=NOW)
    organization = workspaces.create_organization(session, slug="bench", name="Bench", owner=user, now=NOW)
    team = workspaces.create_team(session, organization, slug="benchers", now=NOW)
    workspaces.add_to_team(session, team, user, now=NOW)
    projects = [
        workspaces.create_project(
            session, organization, slug=slug, name=slug, platform="python", teams=[team], now=NOW
        )
        for slug in ("many", "some")
    ]
    for project, share in zip(projects, (issues, issues // 5), strict=True):
        project.first_event_at, project.last_issue_number = NOW, share
        for name in ("production", "staging"):
            session.add(Environment(project_id=project.id, name=name, first_seen=NOW))
        ids = count(project.id * 1_000_000)
        for first in range(1, share + 1, BATCH):
            numbers = range(first, min(first + BATCH, share + 1))
            rows = [_issue(chance, project, each, user, next(ids)) for each in numbers]
            _write(session, rows, user, chance)
    _add_releases(session, organization, projects)
    _add_events(session, projects[0], issues, many_events, chance)
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()
    return user, organization, projects


def _issue(chance: random.Random, project: Project, number: int, user: User, issue_id: int) -> dict[str, Any]:
    last = NOW - timedelta(seconds=chance.randrange(60 * 86400))
    status = chance.choices(("unresolved", "resolved", "ignored"), (63, 30, 7))[0]
    about, where = chance.choice(WORDS), chance.choice(WORDS)
    release = f"shop@1.{number % RELEASES}"
    return {
        "id": issue_id,
        "project_id": project.id,
        "number": number,
        "short_id": short_id.encode(project.slug, number),
        "title": f"{about.capitalize()}Error{number}: the {about} of the {where} is gone",
        "culprit": f"shop.{where} in take_{about}",
        "message": f"the {about} of the {where} is gone",
        "level": chance.choice(("error", "error", "warning", "fatal")),
        "details": {"type": f"{about}Error"},
        "status": status,
        "resolved_at": last if status == "resolved" else None,
        "regressed_at": last if status == "unresolved" and number % 50 == 0 else None,
        "active_at": last,
        "first_seen": last - timedelta(seconds=chance.randrange(90 * 86400)),
        "last_seen": last,
        "times_seen": int(chance.paretovariate(0.7)) % 5000 + 1,
        "users_seen": int(chance.paretovariate(0.8)) % 900,
        "told": True,
        "assignee_user_id": user.id if chance.random() < 0.02 else None,
        "first_release": release,
        "last_release": release,
    }


def _write(session: Session, rows: list[dict[str, Any]], user: User, chance: random.Random) -> None:
    """The ids are given, so that nothing has to be read back."""
    issues = [Issue(**row) for row in rows]
    hour = NOW.replace(minute=0, second=0)
    session.execute(insert(Issue), rows)
    insert_all(session, IssueText, [digest_issues.text_row(issue) for issue in issues])
    hours = [
        {"issue_id": issue.id, "hour": hour - timedelta(hours=back), "count": chance.randrange(1, 40)}
        for issue in issues
        for back in chance.sample(range(72), 4)
    ]
    insert_all(session, IssueHour, hours)
    insert_all(session, IssueTag, [row for issue in issues for row in _tags(chance, issue)])
    insert_all(session, IssueTrait, [row for issue in issues for row in _traits(chance, issue)])
    activities = [Activity(id=issue.id, actor_id=None) for issue in issues]
    told = [
        {"id": issue.id, "project_id": issue.project_id, "issue_id": issue.id, "type": "set_regression"}
        | {"data": {"version": issue.last_release}, "created_at": issue.last_seen}
        for issue in issues
    ]
    insert_all(session, Activity, told)
    notices = [
        timeline.notice_row("regression", issue, now=issue.last_seen, activity=activity)
        | {"id": issue.id, "planned_at": issue.last_seen}
        for issue, activity in zip(issues, activities, strict=True)
    ]
    session.execute(insert(Notice), notices)
    _tell(session, issues, user)
    session.commit()


def _tell(session: Session, issues: list[Issue], user: User) -> None:
    """The one person was told of everything: what reached nobody is looked for in vain."""
    answer = {"subject": "user", "subject_id": user.id, "channel": "email", "outcome": "send", "code": "send"}
    answer |= {"params": {}, "reasons": ["workflow_always"]}
    insert_all(session, Verdict, [{"id": each.id, "notice_id": each.id, **answer} for each in issues])
    sent = [
        delivering.row(user.id, user.email, kind="regression", subject="", now=each.last_seen)
        | {"id": each.id, "verdict_id": each.id, "state": "accepted", "finished_at": each.last_seen}
        for each in issues
    ]
    insert_all(session, Delivery, sent)


def _tags(chance: random.Random, issue: Issue) -> Iterator[dict[str, Any]]:
    values = {
        "browser": chance.choices(("Firefox 140", "Chrome 141", "Opera"), (50, 49, 1))[0],
        "environment": chance.choices(("production", "staging"), (97, 3))[0],
        "release": issue.first_release or "",
        "level": issue.level,
        "server_name": f"web-{issue.id % 12}",
    }
    for key, value in values.items():
        yield {"issue_id": issue.id, "key": key, "value": value, "count": 3, "last_seen": NOW}


def _traits(chance: random.Random, issue: Issue) -> Iterator[dict[str, Any]]:
    person = chance.randrange(20_000)
    values = {
        "user.id": str(person),
        "user.email": f"visitor{person}@example.net",
        "transaction": f"shop.views.{chance.choice(WORDS)}",
        "url": f"https://shop.example.org/{chance.choice(WORDS)}/{person}",
        "error.type": str(issue.details["type"]),
        "os.name": "Linux",
    }
    values |= {f"stack.{name}": f"{name}_{issue.id % 5000}" for name in ("filename", "function", "module")}
    for key, value in values.items():
        yield {"issue_id": issue.id, "key": key, "value": value}


def _add_releases(session: Session, organization: Organization, projects: list[Project]) -> None:
    made = [
        Release(
            organization_id=organization.id,
            version=f"shop@1.{number}",
            date_added=NOW - timedelta(hours=RELEASES - number),
        )
        for number in range(RELEASES)
    ]
    session.add_all(made)
    session.flush()
    session.add_all(
        ReleaseProject(release_id=each.id, project_id=project.id, ordered_at=each.date_added)
        for each in made
        for project in projects
    )


def _add_events(session: Session, project: Project, issues: int, many: int, chance: random.Random) -> None:
    """Most of them in a few issues. All have the body of one: what a page reads is one of them."""
    one = events.regular(payloads.event(1, NOW), Receipt("a" * 32, NOW))
    body, first = event_body.of(one), project.id * 1_000_000
    for start in range(0, many, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, many)):
            at = NOW - timedelta(seconds=chance.randrange(60 * 86400))
            rows.append(
                {
                    "project_id": project.id,
                    "issue_id": first + int(chance.paretovariate(0.5)) % issues,
                    "event_id": uuid4().hex,
                    "timestamp": at,
                    "received_at": at,
                    "level": "error",
                    "platform": "python",
                    "type": "error",
                    "title": one.title,
                    "culprit": one.culprit,
                    "environment": "production" if number % 30 else "staging",
                    "release": f"shop@1.{number % RELEASES}",
                    "user_ident": f"id:{number % 20_000}",
                    "hash": one.hash,
                    "body": body,
                }
            )
        insert_all(session, Event, rows)
        session.commit()
