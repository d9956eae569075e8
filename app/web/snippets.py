"""What there is to copy: how programs report errors, feedback and runs of jobs, with a project's own DSN."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from flask import current_app

from app.db import db
from app.domain.schedules import CRONTAB, INTERVAL
from app.models import Monitor, Project
from app.services.people import workspaces

# Headings with what to copy.
Steps = list[tuple[str, str]]
PYTHON_INSTALL = ("Install the SDK", "pip install --upgrade sentry-sdk")


@dataclass(frozen=True, slots=True)
class Snippet:
    """DSN, KEY and STORE in its steps stand for the project's own."""

    name: str
    steps: tuple[tuple[str, str], ...]

    def filled(self, dsn: str) -> Steps:
        address, key = _address_and_key(dsn)
        values = {"<DSN>": dsn, "<KEY>": key, "<STORE>": f"{address}store/"}
        return [(heading, _replaced(text, values)) for heading, text in self.steps]


def dsn_of(project: Project) -> str:
    """What its SDKs are given; empty while every key of it is switched off."""
    key = workspaces.default_key(db.session, project)
    return workspaces.dsn(current_app.config["SETTINGS"].tocsin_url, key, project) if key else ""


def _address_and_key(dsn: str) -> tuple[str, str]:
    """Where a project takes what is sent without an SDK, and with which key."""
    parts = urlsplit(dsn)
    path, _, project = parts.path.rpartition("/")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{path}/api/{project}/", parts.username or ""


def _replaced(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


SNIPPETS = {
    "python": Snippet(
        "Python",
        (
            PYTHON_INSTALL,
            ("At the start of your program", 'import sentry_sdk\n\nsentry_sdk.init(dsn="<DSN>")'),
            (
                "Or try it from the shell",
                "python -c \"import sentry_sdk; sentry_sdk.init(dsn='<DSN>'); 1/0\"",
            ),
        ),
    ),
    "python-flask": Snippet(
        "Flask",
        (
            PYTHON_INSTALL,
            (
                "Before the application is made; /debug-tocsin then raises a first error",
                "import sentry_sdk\n"
                "from flask import Flask\n\n"
                'sentry_sdk.init(dsn="<DSN>")\n\n'
                "app = Flask(__name__)\n\n\n"
                '@app.get("/debug-tocsin")\n'
                "def debug_tocsin():\n"
                "    return str(1 / 0)",
            ),
        ),
    ),
    "python-django": Snippet(
        "Django",
        (
            PYTHON_INSTALL,
            ("In settings.py", 'import sentry_sdk\n\nsentry_sdk.init(dsn="<DSN>")'),
            (
                "In urls.py, for a first error at /debug-tocsin/",
                "from django.urls import path\n\n"
                'urlpatterns = [path("debug-tocsin/", lambda request: 1 / 0)]',
            ),
        ),
    ),
    "python-fastapi": Snippet(
        "FastAPI",
        (
            PYTHON_INSTALL,
            (
                "Before the application is made; /debug-tocsin then raises a first error",
                "import sentry_sdk\n"
                "from fastapi import FastAPI\n\n"
                'sentry_sdk.init(dsn="<DSN>")\n\n'
                "app = FastAPI()\n\n\n"
                '@app.get("/debug-tocsin")\n'
                "async def debug_tocsin():\n"
                "    return 1 / 0",
            ),
        ),
    ),
    "javascript": Snippet(
        "Browser",
        (
            ("Install the SDK", "npm install --save @sentry/browser"),
            (
                "As early as you can",
                'import * as Sentry from "@sentry/browser";\n\n'
                'Sentry.init({ dsn: "<DSN>" });\n'
                'Sentry.captureException(new Error("First event"));',
            ),
        ),
    ),
    "node": Snippet(
        "Node.js",
        (
            ("Install the SDK", "npm install --save @sentry/node"),
            (
                "At the top of the first file that runs",
                'const Sentry = require("@sentry/node");\n\n'
                'Sentry.init({ dsn: "<DSN>" });\n'
                'Sentry.captureException(new Error("First event"));',
            ),
        ),
    ),
    "curl": Snippet(
        "curl",
        (
            (
                "No SDK needed",
                "curl '<STORE>' \\\n"
                "  -H 'X-Sentry-Auth: Sentry sentry_version=7, sentry_key=<KEY>' \\\n"
                "  -H 'Content-Type: application/json' \\\n"
                '  -d \'{"message": "Hello from curl", "level": "error"}\'',
            ),
        ),
    ),
}


def for_platform(platform: str) -> str:
    """The snippet to show first for a project of this platform."""
    return platform if platform in SNIPPETS else "python"


def of_feedback(dsn: str, url: str) -> Steps:
    """How to send what people write, to the address of the API's call for it."""
    return [(heading, _replaced(text, {"<DSN>": dsn, "<URL>": url})) for heading, text in _FEEDBACK]


_FEEDBACK = (
    (
        "From a page, with the SDK that reports its errors",
        "Sentry.captureFeedback({\n"
        "  name: form.name.value,\n"
        "  email: form.email.value,\n"
        "  message: form.message.value,\n"
        "  associatedEventId: Sentry.lastEventId(),\n"
        "});",
    ),
    (
        "From anywhere else",
        "curl '<URL>' \\\n"
        "  -H 'Authorization: DSN <DSN>' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"event_id": "…", "name": "Jane", "email": "jane@example.net", "comments": "…"}\'',
    ),
)

CRONTAB_OF_EXAMPLE = "0 3 * * *"
EXAMPLE: Mapping[str, Any] = {
    "schedule": {"type": CRONTAB, "value": CRONTAB_OF_EXAMPLE},
    "timezone": "UTC",
}
_SET_UP = f'--schedule "{CRONTAB_OF_EXAMPLE}" --timezone UTC '
_JOB = """import sentry_sdk
from sentry_sdk.crons import monitor

sentry_sdk.init(dsn="{dsn}")


@monitor({arguments})
def job():
    ..."""


def of_monitor(dsn: str, slug: str, monitor: Monitor | None = None) -> Steps:
    """Ways to check in.

    Where nobody has said when the job runs, they say it: else nothing would be expected of it.
    """
    config = None if monitor and monitor.schedule_kind else EXAMPLE
    address, key = _address_and_key(dsn)
    return [
        _with_curl(f"{address}cron/{quote(slug)}/{key}/", monitor, config),
        (
            "With sentry-cli, which also sends the beginning, the length and the exit status",
            f"export SENTRY_DSN={dsn}\nsentry-cli monitors run {_SET_UP if config else ''}{slug} -- ./job.sh",
        ),
        ("In Python", _JOB.format(dsn=dsn, arguments=_arguments(slug, config))),
    ]


def _with_curl(url: str, monitor: Monitor | None, config: Mapping[str, Any] | None) -> tuple[str, str]:
    """Behind its crontab, if that is how it runs."""
    body = f" -d '{json.dumps({'monitor_config': config}, separators=(',', ':'))}'" if config else ""
    line = f'./job.sh; curl -fsS{body} "{url}?status=$([ $? -eq 0 ] && echo ok || echo error)"'
    if monitor and monitor.schedule_kind == INTERVAL:
        return "With curl, after each run", line
    crontab = CRONTAB_OF_EXAMPLE if config or not monitor else monitor.schedule_text
    return "In a crontab, with curl", f"{crontab} {line}"


def _arguments(slug: str, config: Mapping[str, Any] | None) -> str:
    if config is None:
        return f'monitor_slug="{slug}"'
    return f'\n    monitor_slug="{slug}",\n    monitor_config={json.dumps(config)},\n'
