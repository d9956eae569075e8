"""How to point an application at a project, in the words of its own SDK; a line of text a platform."""

from dataclasses import dataclass
from urllib.parse import urlsplit

PYTHON_INSTALL = ("Install the SDK", "pip install --upgrade sentry-sdk")


@dataclass(frozen=True, slots=True)
class Snippet:
    """`steps` are headings with what to copy; DSN, KEY and STORE in them stand for the project's own."""

    name: str
    steps: tuple[tuple[str, str], ...]

    def filled(self, dsn: str) -> list[tuple[str, str]]:
        parts = urlsplit(dsn)
        path, _, project = parts.path.rpartition("/")
        host = parts.netloc.rpartition("@")[2]
        store = f"{parts.scheme}://{host}{path}/api/{project}/store/"
        values = {"<DSN>": dsn, "<KEY>": parts.username or "", "<STORE>": store}
        return [(heading, _replaced(text, values)) for heading, text in self.steps]


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


def of_feedback(dsn: str, url: str) -> list[tuple[str, str]]:
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
