"""Times pages and API calls over many issues: `python -m bench.latency [--issues 100000] [--events 1000000]`.

Prints the median and the 95th percentile of the server's time for each, the median of its CPU time (of
Python, and of SQLite, which works in the same process), and how many queries it sent.
`--database` names an empty database other than a new SQLite file; the migrations make its tables. One that
was filled before is used again with `--filled`. `--only` names a part of what is timed.
"""

import argparse
import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app import create_app, memory
from app.db import db
from app.domain import search
from app.models import Event, Issue, Organization, Project, User
from app.services.issues import finding
from app.services.issues.finding import Scope
from app.services.people import tokens
from app.settings import load
from bench.filling import NOW, fill

WARM, ROUNDS = 2, 30
LIST, PAGE, MOST_QUERIES = 100, 150, 8
STREAM = {
    "the default list": "",
    "first seen": "?query=is:unresolved&sort=new",
    "priority": "?query=is:unresolved&sort=priority",
    "most events": "?query=is:unresolved&sort=freq",
    "most users": "?query=is:unresolved&sort=users",
    "everything": "?query=",
    "second page": "?query=is:unresolved&cursor={cursor}",
    "a common word": "?query=is:unresolved+payment",
    "a common word, any state": "?query=payment",
    "a common word, any state, by events": "?query=payment&sort=freq",
    "a rare word, any state": "?query=paymenterror5",
    "a rare word": "?query=is:unresolved+paymenterror5",
    "a word nobody wrote": "?query=is:unresolved+zyzzyva",
    "two letters": "?query=is:unresolved+zz",
    "two letters, any state": "?query=zz",
    "regressed": "?query=is:regressed",
    "escalating": "?query=is:escalating",
    "a common tag": "?query=is:unresolved+browser:Firefox*",
    "a rare tag": "?query=is:unresolved+browser:Opera",
    "an environment": "?environment=production",
    "a rare environment": "?environment=staging",
    "the last week": "?statsPeriod=7d",
    "a person": "?query=is:unresolved+user.email:visitor77@example.net",
    "a function": "?query=is:unresolved+stack.function:function_77",
    "the latest release": "?query=is:unresolved+first-release:latest",
    "told me": "?query=is:unresolved+told:me",
    "reached nobody": "?query=is:unresolved+reach:none",
    "events of yesterday": "?query=is:unresolved+event.timestamp:-24h",
}


def main() -> None:
    given = _options()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        url = given.database or f"sqlite:///{Path(directory) / 'bench.db'}"
        environment = {"DATABASE_URL": url, "TOCSIN_DATA_DIR": directory, "TOCSIN_URL": "http://127.0.0.1"}
        app = create_app(load(environment), TESTING=True, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
        with app.app_context():
            if not given.filled:
                upgrade()
                started = time.perf_counter()
                fill(db.session, issues=given.issues, many_events=given.events)
                _tidy(db.engine)
                print(f"filled in {time.perf_counter() - started:.0f} s")
            paths, headers, user = _asked(db.session)
            db.session.remove()
        memory.settle()
        print(f"{'':46}{'p50 ms':>8}{'p95 ms':>8}{'CPU ms':>8}{'queries':>9}{'KB':>6}")
        browser, program = _browser(app, user), app.test_client(use_cookies=False)
        for name, path in paths.items():
            if given.only in name:
                is_call = path.startswith("/api/")
                _report(program if is_call else browser, name, path, headers if is_call else {})
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _tidy(engine: Engine) -> None:
    """What PostgreSQL does by itself after a while."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _options() -> Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--issues", type=int, default=100_000)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--database", default="", help="URL of an empty database")
    options.add_argument("--filled", action="store_true", help="it was filled by an earlier run")
    options.add_argument("--only", default="", help="part of the names of what is timed")
    return options.parse_args()


def _asked(session: Session) -> tuple[Mapping[str, str], Mapping[str, str], User]:
    """Addresses by name, what an API call needs, and who asks."""
    user = session.scalars(select(User).order_by(User.id)).first()
    organization = session.scalars(select(Organization)).one()
    project = session.scalars(select(Project).where(Project.slug == "many")).one()
    assert user is not None
    _, token = tokens.give_person(session, user, name="bench", now=NOW)
    session.commit()
    scope = Scope(user, organization, project)
    cursor = finding.find(session, scope, search.parse(None), now=NOW).next or ""
    most = select(Event.issue_id).group_by(Event.issue_id).order_by(func.count().desc()).limit(1)
    issue = session.scalars(select(Issue).where(Issue.id == most.scalar_subquery())).one()
    here, api = f"/{organization.slug}/{project.slug}/", "/api/0"
    of_project, of_organization = f"{api}/projects/bench/many", f"{api}/organizations/bench"
    paths = {f"stream: {name}": here + more.format(cursor=cursor) for name, more in STREAM.items()}
    paths |= {
        f"organization: {name}": f"/{organization.slug}/issues/" + STREAM[name].format(cursor=cursor)
        for name in ("the default list", "everything", "most events", "a common word", "a rare tag")
    }
    paths |= {
        "page: issue with most events": f"{here}issues/{issue.id}/",
        "page: its events": f"{here}issues/{issue.id}/events/",
        "page: its users": f"{here}issues/{issue.id}/users/",
        "page: its notifications": f"{here}issues/{issue.id}/notifications/",
        "step: the issue after it": f"{here}issues/{issue.id}/next/",
        "page: releases": f"{here}releases/",
        "page: releases of the organization": f"/{organization.slug}/releases/",
        "page: projects": "/",
        "fragment: counts of the tabs": f"{here}counts?query=is:unresolved",
        "fragment: news": f"{here}news?query=is:unresolved&seen=0",
        "API: issues of a project": f"{of_project}/issues/?per_page=25",
        "API: 100 issues": f"{of_project}/issues/",
        "API: issues by words": f"{of_project}/issues/?query=payment",
        "API: issues of the organization": f"{of_organization}/issues/?per_page=25",
        "API: issue": f"{of_organization}/issues/{issue.short_id}/",
        "API: events of an issue": f"{of_organization}/issues/{issue.short_id}/events/",
        "API: events of a project": f"{of_project}/events/",
        "API: latest event": f"{of_organization}/issues/{issue.short_id}/events/latest/",
        "API: releases": f"{of_organization}/releases/",
        "API: notices": f"{api}/notices/",
    }
    return paths, {"Authorization": f"Bearer {token}"}, user


def _browser(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user.get_id()
        cookie["_fresh"] = True
    return client


def _report(client: FlaskClient, name: str, path: str, headers: Mapping[str, str]) -> None:
    is_fragment = name.startswith("fragment")
    more = {"HX-Request": "true"} if is_fragment else {}
    times, spent = [], []
    for _number in range(WARM + ROUNDS):
        with _counting() as sent:
            started, worked = time.perf_counter(), time.process_time()
            answer = client.get(path, headers={**headers, **more})
            times.append((time.perf_counter() - started) * 1000)
            spent.append((time.process_time() - worked) * 1000)
        assert answer.status_code in (200, 204, 303), f"{path}: {answer.status} {answer.text[:300]}"
    p95 = sorted(times[WARM:])[int(ROUNDS * 0.95)]
    median, cpu = statistics.median(times[WARM:]), statistics.median(spent[WARM:])
    limit = 50 if is_fragment else PAGE if "issue with" in name else LIST
    over = ("  slow" if p95 > limit else "") + ("  many queries" if len(sent) > MOST_QUERIES else "")
    size = len(answer.data) / 1024
    print(f"{name:46}{median:8.1f}{p95:8.1f}{cpu:8.1f}{len(sent):9}{size:6.0f}{over}", flush=True)


@contextmanager
def _counting() -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN", "SAVEPOINT", "SET ")):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


if __name__ == "__main__":
    main()
