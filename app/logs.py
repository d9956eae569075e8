"""One line per fact, on standard output, as text or as JSON; what must stay secret never gets out."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from app.settings import Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

_SECRETS = re.compile(
    r"""
      (?P<before>
          \b(?:authorization|x-sentry-auth|cookie|set-cookie)["']?\s*[:=]\s*["']?(?:(?:bearer|basic|sentry)\s)?
        | \bbearer\s
        | (?:password|passwd|secret|secret_key|api_key|token)["']?\s*[:=]\s*["']?
        | ://[^\s/@:]*:(?=[^\s/]*@)
        | /(?:setup|invite|password|sign-in|reset|verify|u)/(?=[\w~.-]{16})
        | \bsntry[us]_
      )
      [^\s"'@,;&}/]+
    """,
    re.IGNORECASE | re.VERBOSE,
)


def configure(settings: Settings) -> None:
    """Send all logging there is to standard output, in the format that was asked for."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # These tell of every job and every step; a line of ours tells what came of it.
    for chatty in ("rq.worker", "rq.job", "rq.queue", "_granian", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def without_secrets(text: str) -> str:
    return _SECRETS.sub(r"\g<before>***", text)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _moment(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        line = f"{_moment(record)} {record.levelname} {record.name}: {record.getMessage()}{facts}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return without_secrets(line)


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        hidden = {name: without_secrets(v) if isinstance(v, str) else v for name, v in line.items()}
        for name in hidden.keys() & {"token", "password", "secret", "authorization"}:
            hidden[name] = "***"
        return json.dumps(hidden, default=str, ensure_ascii=False)
