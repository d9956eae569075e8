"""Times the issue list on a database with many issues: `python -m bench.pages_bench [--issues 100000]`.

Seeds one project, a fifth of its issues into a second one, and prints the median and the 95th percentile of
each list: its queries alone, and the whole page. `--database` names an empty database other than a new file.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from app import create_app
from app.db import db
from app.domain import search, short_id
from app.domain.cursor import decode
from app.models import Activity, Base, Issue, IssueHour, IssueTag, Notice, Project, User
from app.services import accounts, digesting, finding, timeline, workspaces
from app.services.finding import Scope
from app.services.stream_entry import ENVELOPE, Entry
from app.settings import load
from bench.payloads import ISSUES, body

NOW = datetime.now(UTC).replace(microsecond=0)
BATCH, ROUNDS = 5000, 40
WORDS = (
    "cart",
    "order",
    "payment",
    "session",
    "invoice",
    "coupon",
    "address",
    "customer",
    "basket",
    "refund",
)
LISTS = {
    "the default list": ("is:unresolved", "date"),
    "everything": ("", "date"),
    "resolved": ("is:resolved", "date"),
    "first seen": ("is:unresolved", "new"),
    "most events": ("is:unresolved", "freq"),
    "most users": ("is:unresolved", "users"),
    "for review": ("is:for_review", "date"),
    "assigned to me": ("is:unresolved assigned:me", "date"),
    "a rare tag": ("is:unresolved browser:Opera", "date"),
    "a common word": ("payment", "date"),
    "a word nobody wrote": ("is:unresolved zyzzyva", "date"),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--issues", type=int, default=100_000)
    options.add_argument("--database", default="", help="URL of an empty database")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        url = given.database or f"sqlite:///{Path(directory) / 'bench.db'}"
        environment = {"DATABASE_URL": url, "TOCSIN_DATA_DIR": directory, "TOCSIN_URL": "http://127.0.0.1"}
        app = create_app(load(environment), TESTING=True, WTF_CSRF_ENABLED=False)
        with app.app_context():
            Base.metadata.create_all(db.engine)
            started = time.perf_counter()
            user, scope = seed(db.session, given.issues)
            print(f"seeded {given.issues} issues in {time.perf_counter() - started:.0f} s")
            measure_queries(db.session, scope)
            measure_pages(app, user, scope)
            db.session.remove()
            db.engine.dispose()


def seed(session: Session, issues: int) -> tuple[User, Scope]:
    """What lists read: issues, their tags and hours, an activity and a notice each."""
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
        ids = count(project.id * 1_000_000)
        for first in range(1, share + 1, BATCH):
            numbers = range(first, min(first + BATCH, share + 1))
            write(
                session, [issue_row(chance, project, number, user, next(ids)) for number in numbers], chance
            )
    session.execute(text("ANALYZE"))
    session.commit()
    return user, Scope(user, organization, projects[0])


def issue_row(
    chance: random.Random, project: Project, number: int, user: User, issue_id: int
) -> dict[str, Any]:
    last = NOW - timedelta(seconds=chance.randrange(60 * 86400))
    status = chance.choices(("unresolved", "resolved", "ignored"), (63, 30, 7))[0]
    about, where = chance.choice(WORDS), chance.choice(WORDS)
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
        "active_at": last,
        "first_seen": last - timedelta(seconds=chance.randrange(90 * 86400)),
        "last_seen": last,
        "times_seen": int(chance.paretovariate(0.7)) % 5000 + 1,
        "users_seen": int(chance.paretovariate(0.8)) % 900,
        "assignee_user_id": user.id if chance.random() < 0.02 else None,
    }


def write(session: Session, rows: list[dict[str, Any]], chance: random.Random) -> None:
    """The ids are given, so that nothing has to be read back."""
    issues = [Issue(**row) for row in rows]
    hour = NOW.replace(minute=0, second=0)
    hours = [
        {"issue_id": issue.id, "hour": hour - timedelta(hours=back), "count": chance.randrange(1, 40)}
        for issue in issues
        for back in chance.sample(range(72), 4)
    ]
    activities = [Activity(id=issue.id, actor_id=None) for issue in issues]
    activity_rows = [
        {"id": issue.id, "project_id": issue.project_id, "issue_id": issue.id, "type": "set_regression"}
        | {"data": {}, "created_at": issue.last_seen}
        for issue in issues
    ]
    notice_rows = [
        timeline.notice_row("regression", issue, now=issue.last_seen, activity=activity)
        for issue, activity in zip(issues, activities, strict=True)
    ]
    session.execute(insert(Issue), rows)
    session.execute(insert(IssueHour), hours)
    session.execute(insert(IssueTag), [row for issue in issues for row in tag_rows(chance, issue)])
    session.execute(insert(Activity), activity_rows)
    session.execute(insert(Notice), notice_rows)
    session.commit()


def tag_rows(chance: random.Random, issue: Issue) -> Iterator[dict[str, Any]]:
    browser = chance.choices(("Firefox 140", "Chrome 141", "Opera"), (50, 49, 1))[0]
    values = {
        "browser": browser,
        "environment": "production",
        "release": f"1.{issue.id % 40}",
        "level": "error",
    }
    for key, value in values.items():
        yield {"issue_id": issue.id, "key": key, "value": value, "count": 3, "last_seen": NOW}


def measure_queries(session: Session, scope: Scope) -> None:
    everywhere = Scope(scope.user, scope.organization)
    for name, (query, sort) in LISTS.items():
        for where, asked in (("project", scope), ("organization", everywhere)):
            report(f"{name}, {where}", lambda q=query, s=sort, a=asked: find(session, a, q, s))
    cursor = None
    for _ in range(20):
        cursor = finding.find(
            session, scope, search.parse(None), now=NOW, cursor=decode(cursor) if cursor else None
        ).next
    report("page 21", lambda: find(session, scope, "is:unresolved", "date", cursor))
    texts = ["is:unresolved", "is:for_review", "is:unresolved assigned:me", "is:ignored", "is:resolved"]
    report("counts of the tabs", lambda: finding.counts(session, scope, texts, now=NOW))
    report("newest", lambda: finding.newest(session, scope, search.parse(None), now=NOW))


def find(session: Session, scope: Scope, query: str, sort: str, cursor: str | None = None) -> None:
    asked = search.parse(query, me=scope.user.id)
    finding.find(session, scope, asked, now=NOW, sort=sort, cursor=decode(cursor))
    session.expunge_all()
    session.rollback()


def measure_pages(app: Flask, user: User, scope: Scope) -> None:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user.get_id()
        cookie["_fresh"] = True
    db.session.remove()
    project = db.session.scalars(select(Project).where(Project.id == scope.project.id)).one()
    issue = digested_issue(db.session, project)
    root = f"/{scope.organization.slug}/{project.slug}/"
    for path in (
        root,
        f"{root}?query=payment",
        f"{root}?sort=freq",
        f"{root}issues/{issue.id}/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        report(f"GET {path} ({len(answer.data) / 1024:.0f} KB)", lambda p=path: client.get(p))


def digested_issue(session: Session, project: Project) -> Issue:
    """One that came in as events do, so that its page has all that a page can have."""
    for number in (0, ISSUES, 2 * ISSUES):
        entry = Entry(project.id, ENVELOPE, NOW, body(number, NOW), encoding="gzip", event_id=uuid4().hex)
        digesting.digest(session, [entry], now=NOW)
    session.commit()
    newest = select(Issue).where(Issue.project_id == project.id).order_by(Issue.id.desc()).limit(1)
    return session.scalars(newest).one()


def report(name: str, run: Callable[[], Any]) -> None:
    run()
    before = time.process_time()
    times = sorted(timed(run) for _ in range(ROUNDS))
    spent = (time.process_time() - before) / ROUNDS * 1000
    p95 = times[int(len(times) * 0.95)]
    print(f"{name:44} median {statistics.median(times):7.1f} ms   p95 {p95:7.1f} ms   CPU {spent:6.1f} ms")


def timed(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
