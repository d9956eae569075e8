"""Phones that text messages go to: confirmed by a code, switched off by STOP, and not flooded.

Kept by the integration as two texts, sealed with its secrets: `marks` say what each number is, `ledger` what
was sent to it. They are apart because the first is written when somebody calls, the second after each send.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CODE_LASTS, CODE_PAUSE, MOST_TRIES = timedelta(minutes=15), timedelta(minutes=1), 5
# Reports of different messages that never arrived, after which a number is given up.
MOST_REPORTS = 2
# So long is it known who has a message already: longer than any is retried.
PROGRESS_LASTS = timedelta(hours=2)
YES, MORE, NO = "yes", "more", "no"


def key_of(number: str) -> str:
    """A name for the number that does not show it."""
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def masked(number: str) -> str:
    """Enough to tell one's own: the beginning, and the last four digits."""
    return f"{number[:3]}•••{number[-4:]}" if len(number) > 7 else "•••"


def _hash(salt: str, code: str) -> str:
    return hashlib.sha256(f"{salt}:{code}".encode()).hexdigest()


def _read(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}


_GONE = object()


def merged(before: str, after: str, now: str) -> str:
    """What made `after` of `before`, done to what it is now: somebody else has written to it meanwhile."""
    return json.dumps(_merged(_read(before), _read(after), _read(now)), sort_keys=True)


def _merged(before: Any, after: Any, now: Any) -> Any:
    if before in (after, now):
        return now if before == after else after
    given = (before, after, now)
    if all(isinstance(each, list) for each in given):
        was, becomes = Counter(before), Counter(after)
        return list((Counter(now) - (was - becomes) + (becomes - was)).elements())
    if not all(isinstance(each, dict) or each is _GONE for each in given) or _GONE in (after, now):
        return now
    if "hash" in after:  # a new code, with tries of its own
        return after
    was = {} if before is _GONE else before
    names = dict.fromkeys((*now, *after))
    found = {name: _merged(*(each.get(name, _GONE) for each in (was, after, now))) for name in names}
    return {name: each for name, each in found.items() if each is not _GONE}


@dataclass
class Recipients:
    """What is known of each number. Moments are in whole seconds."""

    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    ledger: dict[str, dict[str, Any]] = field(default_factory=dict)
    progress: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, marks: str, ledger: str) -> "Recipients":
        kept = _read(ledger)
        return cls(_read(marks), kept.get("numbers", {}), kept.get("progress", {}))

    @property
    def marks_text(self) -> str:
        return json.dumps(self.marks, sort_keys=True)

    @property
    def ledger_text(self) -> str:
        return json.dumps({"numbers": self.ledger, "progress": self.progress}, sort_keys=True)

    def keep_only(self, numbers: Iterable[str], *, now: datetime) -> None:
        """Forget what was taken off the list, and what is long past; a STOP is never forgotten."""
        known = set(numbers)
        self.marks = {each: row for each, row in self.marks.items() if each in known or row.get("off")}
        cut = int((now - DAY).timestamp())
        for row in self.ledger.values():
            row["sent"] = [at for at in row.get("sent", ()) if at > cut]
        self.ledger = {each: row for each, row in self.ledger.items() if each in known or row["sent"]}
        past = int((now - PROGRESS_LASTS).timestamp())
        self.progress = {each: row for each, row in self.progress.items() if row.get("at", 0) > past}

    # What a number is

    def _mark(self, number: str) -> dict[str, Any]:
        return self.marks.setdefault(number, {})

    def is_confirmed(self, number: str) -> bool:
        return bool(self.marks.get(number, {}).get("confirmed"))

    def off(self, number: str) -> str:
        """The code with which it was switched off, or ""."""
        return str(self.marks.get(number, {}).get("off", ""))

    def switch_off(self, number: str, code: str) -> None:
        self._mark(number)["off"] = code

    def switch_on(self, number: str) -> None:
        if self.off(number):
            del self.marks[number]["off"]
            self.arrived(number)

    def arrived(self, number: str) -> None:
        self.marks.get(number, {}).pop("reports", None)

    def report_missing(self, number: str, message: str, code: str) -> None:
        """A message never arrived; the second one of them ends it."""
        mark = self._mark(number)
        reports = mark.setdefault("reports", [])
        if message not in reports:
            reports.append(message)
        if len(reports) >= MOST_REPORTS and not mark.get("off"):
            mark["off"] = code

    # What was sent to it

    def _row(self, number: str) -> dict[str, Any]:
        return self.ledger.setdefault(number, {"sent": []})

    def room(self, number: str, *, hourly: int, daily: int, now: datetime) -> str:
        """Whether it may be sent something; at the limit once that there is more."""
        row = self.ledger.get(number, {})
        for span, most in ((HOUR, hourly), (DAY, daily)):
            since = int((now - span).timestamp())
            if sum(at > since for at in row.get("sent", ())) >= most:
                return NO if row.get("more", 0) > since else MORE
        return YES

    def sent(self, number: str, message: str, *, now: datetime) -> None:
        self._row(number).setdefault("sent", []).append(int(now.timestamp()))
        self.done(number, message, now=now)

    def sent_more(self, number: str, message: str, *, now: datetime) -> None:
        """That there is more was said; it counts for itself."""
        self._row(number)["more"] = int(now.timestamp())
        self.done(number, message, now=now)

    def done(self, number: str, message: str, *, now: datetime) -> None:
        """The number has the message: a retry, for the sake of others, leaves it out."""
        row = self.progress.setdefault(message, {"at": int(now.timestamp()), "done": []})
        row["done"].append(key_of(number))

    def has(self, number: str, message: str) -> bool:
        return key_of(number) in self.progress.get(message, {}).get("done", ())

    # Codes

    def may_be_asked(self, number: str, *, now: datetime) -> bool:
        """Whether a code may be sent to it: not one after the other."""
        made = self.ledger.get(number, {}).get("code", {}).get("made", 0)
        return bool(int((now - CODE_PAUSE).timestamp()) >= made)

    def ask(self, number: str, code: str, salt: str, *, now: datetime) -> None:
        """Keep what the number has to be confirmed with; not the code itself."""
        made = {"hash": _hash(salt, code), "salt": salt, "made": int(now.timestamp()), "tries": 0}
        self._row(number)["code"] = made

    def is_asked(self, number: str, *, now: datetime) -> bool:
        """Whether a code is open that can be entered."""
        code = self.ledger.get(number, {}).get("code", {})
        is_fresh = code.get("made", 0) > int((now - CODE_LASTS).timestamp())
        return bool(is_fresh and code.get("tries", 0) < MOST_TRIES)

    def confirm(self, number: str, code: str, *, now: datetime) -> str:
        """Why that is not the code, or "": then the number is confirmed, and on again."""
        if not self.is_asked(number, now=now):
            return "There is no code to enter any more: send a test for a new one."
        kept = self.ledger[number]["code"]
        if not hmac.compare_digest(_hash(kept["salt"], code.strip()), kept["hash"]):
            kept["tries"] += 1
            return "That is not the code that was sent."
        del self.ledger[number]["code"]
        self._mark(number)["confirmed"] = int(now.timestamp())
        return ""


def bare(number: str) -> str:
    """As services want it: without blanks and brackets."""
    return "".join(each for each in number if each not in " ()-./\u00a0")


def numbers_in(texts: Sequence[str]) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(filter(None, map(bare, texts))))
