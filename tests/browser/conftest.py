"""Chromium, and a whole Tocsin as `make run` starts it: with a Redis of its own, and mail kept as files."""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from sqlalchemy import Engine, create_engine, update
from sqlalchemy.orm import Session

from app.models import Delivery, Issue, Project
from app.services.people import accounts
from tests.conftest import NOON
from tests.make import PASSWORD, Make
from tests.support import cast as casting
from tests.support.processes import Process, eventually
from tests.support.smtp import Mail

SWITCHES = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTH, HEIGHT = 1280, 900


@dataclass
class Tocsin:
    """One that runs for real."""

    data_dir: Path
    port: int
    process: Process
    engine: Engine | None = None
    session: Session | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def first_account_link(self) -> str:
        """From the console."""

        def link() -> str | None:
            found = re.search(r"Make the first account, once, at (\S+)", self.process.said)
            return found and found[1]

        return eventually(link)

    def mails(self, *, to: str = "", about: str = "") -> list[Mail]:
        """What would have been sent, oldest first."""
        files = sorted((self.data_dir / "mail").glob("*.eml"))
        mails = [Mail("", "", file.read_bytes()) for file in files]
        return [mail for mail in mails if to in mail["To"] and mail.subject.startswith(about)]

    def will_write(self) -> None:
        """Wait for the turn to write first: one who has read already would be refused while Tocsin writes."""
        self.session.commit()
        self.session.connection(execution_options={"writes": True})

    def address_of(self, issue: Issue) -> str:
        self.session.commit()
        return f"{self.url}/acme/shop/issues/{issue.id}/"


@contextmanager
def running() -> Iterator[Tocsin]:
    """In a directory with a space in its name. Has to end in order when asked to."""
    data_dir = Path(tempfile.mkdtemp(prefix="toc sin-"))
    port = free_port()
    environment = {
        "TOCSIN_DATA_DIR": str(data_dir),
        "PORT": str(port),
        "WEB_PROCESSES": "1",
        "WORKERS": "1",
        **dict.fromkeys(("DATABASE_URL", "REDIS_URL", "MAIL_SERVER", "TOCSIN_URL", "HOST"), ""),
    }
    try:
        with Process("-m", "app.up", environment=environment) as process:
            made = Tocsin(data_dir, port, process)
            eventually(lambda: "Tocsin runs at" in process.said)
            yield made
            process.stop()
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture
def empty_tocsin() -> Iterator[Tocsin]:
    """With nobody in it yet."""
    with running() as made:
        yield made


@pytest.fixture(scope="session")
def peopled_tocsin() -> Iterator[Tocsin]:
    """With the cast in it, whose passwords are known. Shared: a test works on an issue of its own."""
    with running() as made:
        engine = create_engine(f"sqlite:///{made.data_dir}/tocsin.db")
        with Session(engine) as session:
            session.connection(execution_options={"writes": True})  # the scheduler writes already
            make = Make(session, NOON)
            cast = casting.made(make)
            for person in (cast.alice, cast.bob, cast.cy):
                accounts.set_password(person, PASSWORD)
            session.commit()
        made.engine = engine
        yield made
        engine.dispose()


@pytest.fixture
def tocsin(peopled_tocsin: Tocsin) -> Iterator[Tocsin]:
    """The shared one, with a session in which a test can arrange things in it."""
    with Session(peopled_tocsin.engine) as session:
        session.connection(execution_options={"writes": True})
        # As if hours had passed since the last test: 30 messages within one are the most that anybody gets.
        session.execute(update(Delivery).where(Delivery.finished_at.is_not(None)).values(created_at=NOON))
        session.commit()
        peopled_tocsin.session = session
        yield peopled_tocsin


@pytest.fixture
def issue(tocsin: Tocsin) -> Issue:
    """An issue of shop with an event."""
    tocsin.will_write()
    shop = tocsin.session.query(Project).filter_by(slug="shop").one()
    made = Make(tocsin.session, NOON).issue(shop, title="KeyError: cart", events=1)
    tocsin.session.commit()
    return made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="session")
def passes() -> dict[str, list]:
    """The cookies of those who signed in before: ten tries a minute is all that the form allows."""
    return {}


@pytest.fixture
def sign_in(open_page: Callable[..., Page], tocsin: Tocsin, passes: dict[str, list]) -> Callable[..., Page]:
    """A page of a person's own: `sign_in("alice", script=False)`."""

    def signed_in(name: str, **options) -> Page:
        page = open_page(**options)
        if name in passes:
            page.context.add_cookies(passes[name])
            return page
        page.goto(f"{tocsin.url}/auth/login/")
        page.get_by_label("Email").fill(f"{name}@example.org")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(f"{tocsin.url}/")
        passes[name] = page.context.cookies()
        return page

    return signed_in


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What the browser had to say: errors of script, breaches of the policy, answers of 500 and more."""

    heard: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.heard.append(f"{page.url}: {error}"))
        page.on("console", self._console)
        page.on(
            "response",
            lambda answer: answer.status >= 500 and self.heard.append(f"{answer.status} {answer.url}"),
        )

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium also writes down each 4xx and each cut line, which tests provoke on purpose.
        provoked = ("Failed to load resource", "Failed to fetch")
        if message.type == "error" and not any(words in message.text for words in provoked):
            self.heard.append(message.text)


@pytest.fixture
def open_page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """A browser of its own, with or without JavaScript: `open_page(script=False)`. Nothing may fail in it.

    With SCREENSHOTS=folder, what it shows at the end of each test is kept there.
    """
    contexts, complaints = [], Complaints()

    def open_one(*, script: bool = True, width: int = WIDTH, height: int = HEIGHT, **options) -> Page:
        context = chromium.new_context(
            java_script_enabled=script, viewport={"width": width, "height": height}, **options
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        complaints.listen(page)
        if script:
            page.goto = partial(go_to, page, page.goto)
        return page

    yield open_one
    for number, context in enumerate(contexts):
        if folder := os.environ.get("SCREENSHOTS"):
            keep_pictures(context, Path(folder) / f"{readable(request.node.name)}-{number}.png")
        context.close()
    assert complaints.heard == []


def go_to(page: Page, goes: Callable[..., Response | None], address: str, **options) -> Response | None:
    answer = goes(address, **options)
    has_begun(page)
    return answer


def has_begun(page: Page) -> None:
    """htmx begins in a task of its own, maybe after the page has loaded: until then forms are plain ones."""
    page.wait_for_load_state()
    page.evaluate("new Promise((done) => setTimeout(done))")


def keep_pictures(context: BrowserContext, path: Path) -> None:
    for page in context.pages:
        with suppress(PlaywrightError):
            page.screenshot(path=path, full_page=True)


def readable(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-")
