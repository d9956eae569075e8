"""What every test can ask for. Real parts throughout: a database, a Redis, a mail server, a worker.

Each starts when the first test asks for it, once a test process, and is emptied before the next test.
Tests that touch a database run on SQLite; those marked `both_databases` on PostgreSQL too. With
`TOCSIN_TEST_DATABASES=all` every one of them runs on both but those marked `any_database`; with `turns` those
that are not marked take turns, so that each kind of page and story meets both; with `sqlite` or `postgresql`
they run on that one alone.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import hypothesis
import pytest
from flask import Flask, Response
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, select
from werkzeug.test import Client

from app import create_app, queue
from app.models import Destination, User
from app.settings import Settings, load
from tests.make import Make, envelope, payload
from tests.support import cast as casting
from tests.support import databases, postgresql, redis, smtp
from tests.support.acting import Acts
from tests.support.arranging import ArrangingSession
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.databases import Database
from tests.support.jobs import Jobs
from tests.support.receiver import Receiver

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
URL = "https://tocsin.example.org"


# The same examples each time, so that a failure is never a matter of luck. HYPOTHESIS_PROFILE=thorough looks
# further, and elsewhere each time.
hypothesis.settings.register_profile("quick", max_examples=25, derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_databases: runs on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "any_database: is about nothing that a database does, one is enough")
    config.addinivalue_line("markers", "on_postgresql: about writers side by side, of which SQLite has none")
    config.addinivalue_line("markers", "long: takes ten seconds or more, and so is begun before the others")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turns are taken; and long ones come first, else the run would wait in the end for one just begun."""
    items[:] = [test for test in items if _has_its_turn(test)]
    items.sort(key=lambda test: test.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: looking for garbage need not go through them each time."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", _database_kinds(metafunc.definition), indirect=True)


def _database_kinds(test: pytest.Item) -> Sequence[str]:
    """Where the test runs, or may have its turn: what was asked for decides, then its markers."""
    asked = os.environ.get("TOCSIN_TEST_DATABASES")
    if test.get_closest_marker("on_postgresql"):
        return [] if asked == "sqlite" else ["postgresql"]
    if asked in databases.KINDS:
        return [asked]
    if test.get_closest_marker("both_databases"):
        return databases.KINDS
    may_be_any = asked not in ("all", "turns") or test.get_closest_marker("any_database")
    return databases.KINDS[:1] if may_be_any else databases.KINDS


def _has_its_turn(test: pytest.Item) -> bool:
    """Of a test that is not for both, each set of parameters meets one database, and always the same."""
    marked = any(
        test.get_closest_marker(name) for name in ("both_databases", "on_postgresql", "any_database")
    )
    parameters = (
        test.callspec.params if isinstance(test, pytest.Function) and hasattr(test, "callspec") else {}
    )
    kind = parameters.get("database_kind")
    if kind is None or marked or os.environ.get("TOCSIN_TEST_DATABASES") != "turns":
        return True
    name = test.nodeid.replace(kind, "")
    return databases.KINDS[crc32(name.encode()) % len(databases.KINDS)] == kind


# Servers, one of each a test process


@pytest.fixture(scope="session")
def session_end() -> Iterator[ExitStack]:
    """What is to be stopped or removed once all tests have run."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def data_dir(session_end: ExitStack) -> Path:
    """Short, for the sockets in it, and with a space in its name, for those who forget to quote."""
    made = Path(tempfile.mkdtemp(prefix="toc sin-"))
    session_end.callback(shutil.rmtree, made, ignore_errors=True)
    return made


@pytest.fixture(scope="session")
def postgresql_server(session_end: ExitStack) -> postgresql.Server:
    programs = postgresql.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    server = postgresql.Server(programs)
    session_end.callback(server.stop)
    return server


@pytest.fixture(scope="session")
def _redis(data_dir: Path, session_end: ExitStack) -> redis.Server:
    server = redis.Server(data_dir)
    session_end.callback(server.close)
    return server


@pytest.fixture(scope="session")
def _smtp(session_end: ExitStack) -> smtp.Server:
    server = smtp.Server()
    session_end.callback(server.stop)
    return server


@pytest.fixture(scope="session")
def _databases(data_dir: Path, session_end: ExitStack) -> dict[str, Database]:
    return {}


@pytest.fixture(scope="session")
def _apps(session_end: ExitStack) -> dict[str, Flask]:
    return {}


# The database


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """sqlite or postgresql; see `pytest_generate_tests`."""
    return str(request.param)


@pytest.fixture
def database(
    database_kind: str,
    data_dir: Path,
    session_end: ExitStack,
    _databases: dict[str, Database],
    request: pytest.FixtureRequest,
) -> Database:
    """Has the tables of the migrations, and no rows."""
    if database_kind not in _databases:
        made = (
            databases.Sqlite(data_dir)
            if database_kind == "sqlite"
            else databases.Postgresql(request.getfixturevalue("postgresql_server"))
        )
        session_end.callback(made.close)
        _databases[database_kind] = made
    found = _databases[database_kind]
    found.empty()
    return found


@pytest.fixture
def database_url(database: Database) -> str:
    return database.url


@pytest.fixture
def engine(database: Database) -> Engine:
    return database.engine


@pytest.fixture
def session(engine: Engine) -> Iterator[ArrangingSession]:
    """For arranging and looking. What is not committed is taken back at the end."""
    with ArrangingSession(engine) as made:
        yield made


# The application


@pytest.fixture
def redis_server(_redis: redis.Server) -> redis.Server:
    _redis.empty()
    return _redis


@pytest.fixture
def smtp_server(_smtp: smtp.Server) -> smtp.Server:
    _smtp.reset()
    return _smtp


@pytest.fixture
def environment(data_dir: Path, database_url: str, smtp_server: smtp.Server) -> dict[str, str]:
    """What an operator would have set."""
    return {
        "TOCSIN_DATA_DIR": str(data_dir),
        "TOCSIN_URL": URL,
        "DATABASE_URL": database_url,
        "MAIL_SERVER": smtp_server.host,
        "MAIL_PORT": str(smtp_server.port),
        "MAIL_DEFAULT_SENDER": "Tocsin <tocsin@example.org>",
        "OUTBOUND_ALLOW": "127.0.0.0/8",
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return load(environment)


@pytest.fixture
def app(
    database_kind: str,
    settings: Settings,
    redis_server: redis.Server,
    session: ArrangingSession,
    session_end: ExitStack,
    _apps: dict[str, Flask],
) -> Flask:
    """One for all tests on a database: making it anew would cost more than most of them."""
    if database_kind not in _apps:
        _apps[database_kind] = create_app(settings, TESTING=True)
        session_end.callback(put_away, _apps[database_kind])
    made = _apps[database_kind]
    forget_visitors(made)
    made.extensions.pop("tocsin_delay", None)
    session.app = made
    return made


@pytest.fixture
def unlimited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is too fast: for tests that do within a minute what takes people hours."""
    from app.extensions import limiter

    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def app_with(environment: dict[str, str], redis_server: redis.Server) -> Iterator[Callable[..., Flask]]:
    """Makes another application on the same database: `app_with(MAIL_SERVER="")`."""
    with ExitStack() as stack:

        def make_app(**changes: str) -> Flask:
            made = create_app(load(environment | changes), TESTING=True)
            stack.callback(put_away, made)
            return made

        yield make_app


def put_away(app: Flask) -> None:
    """Close what the application holds open."""
    from app.db import db

    with app.app_context():
        db.engine.dispose()
    if transport := app.extensions.get("tocsin_transport"):
        transport.close()
    app.extensions["tocsin_redis"].connection_pool.disconnect()


def forget_visitors(app: Flask) -> None:
    """Start counting requests anew, in this application's Redis: the limiter knows only the latest one."""
    from app.extensions import limiter

    config = app.config
    limiter._storage = storage_from_string(
        config["RATELIMIT_STORAGE_URI"], **config["RATELIMIT_STORAGE_OPTIONS"]
    )
    limiter._limiter = FixedWindowRateLimiter(limiter._storage)
    limiter._storage_dead = False
    limiter._fallback_storage.reset()


@pytest.fixture
def client(app: Flask, session: ArrangingSession) -> Browser:
    """A browser in which nobody is signed in."""
    return browser(app, session)


@pytest.fixture
def as_user(app: Flask, session: ArrangingSession) -> Callable[..., Browser]:
    """A browser of a person's own: `as_user(alice).post("/…")`."""
    return lambda user: browser(app, session).sign_in(user)


def browser(app: Flask, session: ArrangingSession) -> Browser:
    made = Browser(app, Response, use_cookies=True)
    made.arranged = session
    return made


@pytest.fixture
def sdk(app: Flask, session: ArrangingSession) -> Client:
    """Reaches what a program outside reaches: ingest in front, pages and API behind."""
    from app.ingest import middleware

    session.commit()
    return Client(middleware.wrap(app))


@pytest.fixture
def report(sdk: Client, make: Make, cast: Cast, session: ArrangingSession) -> Callable[..., str]:
    """Sends an event to shop, as an SDK would; its id. `report("KeyError: cart", level="fatal")`"""

    def send(title: str = "KeyError: cart", *, project=None, **members) -> str:
        project = project or cast.shop
        event = payload(title, **members)
        key, path = make.key(project).public, f"/api/{project.id}/envelope/"
        session.commit()
        answer = sdk.post(path, data=envelope(event), headers={"X-Sentry-Auth": f"Sentry sentry_key={key}"})
        assert answer.status_code == 200, answer.text
        return event["event_id"]

    return send


@pytest.fixture
def run_jobs(app: Flask, redis_server: redis.Server, session: ArrangingSession) -> Iterator[Jobs]:
    """`run_jobs()` does all that waits in Redis: digests what came in, then works until no job is left."""
    with queue.connect(app.config["SETTINGS"]) as connection:
        yield Jobs(app, connection, session)


@pytest.fixture
def mailbox(smtp_server: smtp.Server) -> Callable[..., list[smtp.Mail]]:
    """The mails that arrived, oldest first: all, or those to a person."""

    def arrived(to=None) -> list[smtp.Mail]:
        return [mail for mail in smtp_server.taken if to is None or mail.to == to.email]

    return arrived


@pytest.fixture
def told(smtp_server: smtp.Server) -> Callable[..., list[str]]:
    """Who got mail since the last call, of this kind or of any: `told("resolved") == ["bob", "cy"]`."""
    looked_at: list[smtp.Mail] = []

    def names(kind: str | None = None) -> list[str]:
        new = [mail for mail in smtp_server.taken if mail not in looked_at]
        looked_at.extend(new)
        assert kind is None or {mail["X-Tocsin-Kind"] for mail in new} <= {kind}
        return sorted(mail.to.partition("@")[0] for mail in new)

    return names


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that integrations send to."""
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def hook(make: Make, shop, receiver: Receiver, settings: Settings) -> Destination:
    """A webhook of shop that wants every kind."""
    return make.webhook(shop, receiver.url, settings)


# People and things


@pytest.fixture
def now() -> datetime:
    """The instant at which rows are made. Past, for the application itself asks the real clock."""
    return NOON


@pytest.fixture
def make(session: ArrangingSession, now: datetime) -> Make:
    return Make(session, now)


@pytest.fixture
def cast(make: Make, database: Database, session: ArrangingSession) -> Cast:
    """Everybody. Made once and recalled from then on: making them takes longer than most tests."""
    if session.in_transaction() or session.scalar(select(User.id).limit(1)):
        return casting.made(make)  # the test has begun to arrange something already
    session.rollback()
    if not database.recall():
        casting.made(make)
        session.commit()
        database.remember()
    return casting.found(session)


@pytest.fixture
def alice(cast: Cast):
    """Owner of acme, on the team that has the project shop."""
    return cast.alice


@pytest.fixture
def bob(cast: Cast):
    """On her team."""
    return cast.bob


@pytest.fixture
def cy(cast: Cast):
    """On her team."""
    return cast.cy


@pytest.fixture
def dee(cast: Cast):
    """A member of acme in no team of shop."""
    return cast.dee


@pytest.fixture
def charlie(cast: Cast):
    """Owner of another organization: must never see a thing."""
    return cast.charlie


@pytest.fixture
def shop(cast: Cast):
    return cast.shop


@pytest.fixture
def at_once(shop, session: ArrangingSession) -> None:
    """Shop sends every alert as a mail of its own, however many come."""
    shop.digest_minimum = shop.digest_maximum = 0
    session.commit()


@pytest.fixture
def acts(as_user: Callable[..., Browser]) -> Acts:
    """What people do to issues: `acts.resolve(issue, by=alice)`."""
    return Acts(as_user)


@pytest.fixture
def issue(make: Make, shop):
    """An unresolved issue of shop with one event, that nobody was told of."""
    return make.issue(shop, events=1)
