"""Twilio: one text message of one segment for each phone that has agreed to it."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from app.channels import twilio_answers as answers
from app.channels import twilio_reports as reports
from app.channels.base import (
    CHOICE,
    LIST,
    About,
    Answer,
    Call,
    Confirmed,
    Heard,
    Outcome,
    Picture,
    ToConfirm,
    setting,
)
from app.channels.http import Http
from app.channels.twilio_api import TwilioApi
from app.domain import message_words, outward, recipients, sms_text
from app.domain.kinds import TEST
from app.domain.message import Message
from app.domain.outward import Allowed
from app.domain.phrases import told_apart
from app.domain.recipients import MORE, NO, YES, Recipients

HOSTS = {
    "us1": "https://api.twilio.com",
    "ie1": "https://api.dublin.ie1.twilio.com",
    "au1": "https://api.sydney.au1.twilio.com",
}
MOST_NUMBERS, LONGEST_CALLBACK = 10, 4000
# Later than that, an alert is noise.
VALID_SECONDS = 3600
# A try that takes longer leaves the rest to the next one, before its claim is over.
LONGEST_TRY = timedelta(seconds=60)
_ACCOUNT, _KEY = re.compile(r"AC[0-9a-f]{32}"), re.compile(r"SK[0-9a-f]{32}")
_SECRET, _TOKEN = re.compile(r"[A-Za-z0-9]{32}"), re.compile(r"[0-9a-f]{32}")
_NUMBER, _SHORT, _SERVICE = (
    re.compile(r"\+[1-9][0-9]{6,14}"),
    re.compile(r"[0-9]{5,6}"),
    re.compile(r"MG[0-9a-f]{32}"),
)
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")


def _like(pattern: re.Pattern[str], words: str) -> Any:
    return lambda text: "" if pattern.fullmatch(text) else words


def wrong_with_sender(text: str) -> str:
    if any(each.fullmatch(text) for each in (_NUMBER, _SHORT, _SERVICE, _NAME)):
        return ""
    return "A number such as +15005550006, a short code, a name of up to 11 letters, or a service (MG…)."


def wrong_with_recipients(texts: Sequence[str]) -> str:
    numbers = recipients.numbers_in(texts)
    if len(numbers) > MOST_NUMBERS:
        return f"Up to {MOST_NUMBERS} numbers."
    wrong = [each for each in numbers if not _NUMBER.fullmatch(each)]
    return f"“{wrong[0]}” is no number with its country, such as +15005550009." if wrong else ""


def _up_to(most: int) -> Any:
    def check(text: str) -> str:
        is_number = text.isascii() and text.isdigit() and len(text) < 5
        return "" if is_number and 1 <= int(text) <= most else f"A number from 1 to {most}."

    return check


@dataclass(frozen=True, slots=True)
class Due:
    """A text for one number. `note` writes down that it has it; a `secret` in it is shown to nobody."""

    text: str
    note: Callable[[], None]
    secret: str = ""


@dataclass(frozen=True)
class Twilio:
    """`marks` and `ledger` are what is known of each number (`domain/recipients.py`)."""

    about: ClassVar[About] = About(
        name="twilio",
        label="Twilio (SMS)",
        summary="Text messages to phones that agreed to it, one segment each.",
        ladder="sms",
        rings=True,
        kinds=("new", "regression", "again", "digest", "resolved"),
        callbacks={
            reports.STATUS: "",
            reports.INBOUND: "A message comes in (so that STOP and START are heard)",
        },
    )

    account: str = setting(
        "Account SID", check=_like(_ACCOUNT, "AC and 32 digits and letters from a to f."), hint="AC…"
    )
    sender: str = setting(
        "Sender",
        check=wrong_with_sender,
        hint="A number with its country, a short code, a name, or a service (MG…).",
    )
    numbers: Sequence[str] = setting(
        "Recipients",
        default=tuple,
        member="recipients",
        kind=LIST,
        secret=True,
        bound_to=("account",),
        tidy=recipients.bare,
        check=wrong_with_recipients,
        mask=recipients.masked,
        hint="Up to 10 numbers with their country, one a line. A test sends each a code to confirm it.",
    )
    key: str = setting(
        "API key SID",
        default="",
        check=_like(_KEY, "SK and 32 digits and letters from a to f."),
        hint="SK…; with its secret. Better than the auth token: it can be revoked alone.",
    )
    secret: str = setting(
        "API key secret", default="", secret=True, check=_like(_SECRET, "32 letters and digits.")
    )
    auth_token: str = setting(
        "Auth token",
        default="",
        secret=True,
        check=_like(_TOKEN, "32 digits and letters from a to f."),
        hint="Without it no report of Twilio's can be checked: STOP and lost messages go unheard.",
    )
    region: str = setting(
        "Region",
        default="us1",
        kind=CHOICE,
        choices={"us1": "United States", "ie1": "Ireland", "au1": "Australia"},
        hint="Each has credentials of its own.",
    )
    link: str = setting(
        "Link",
        default="yes",
        kind=CHOICE,
        choices={"yes": "To the issue", "no": "None: some countries forbid it"},
    )
    retention: str = setting(
        "What Twilio keeps",
        default="all",
        kind=CHOICE,
        choices={"all": "Texts and numbers", "none": "Neither, where the account can do without"},
    )
    hourly: str = setting("Most in an hour", default="10", check=_up_to(60), hint="To each number.")
    daily: str = setting("Most in a day", default="50", check=_up_to(500), hint="To each number.")
    marks: str = setting("What is known of the numbers", default="", secret=True, hidden=True)
    ledger: str = setting("What was sent to them", default="", secret=True, hidden=True)

    def wrong_together(self) -> tuple[str, str] | None:
        if not self.numbers:
            return "numbers", "At least one number."
        if self.key and not self.secret:
            return "secret", "An API key goes with its secret."
        if not self.key and not self.auth_token:
            return "key", "An API key with its secret, or the auth token."
        return None

    def payload(self, message: Message) -> Mapping[str, Any]:
        """All but whom it goes to."""
        return self._form(self._text(message), message, is_reported=True)

    def picture(self, message: Message) -> Picture:
        return Picture("phone", self.sender or "Tocsin", self._text(message), note="Text message")

    def send(self, message: Message, *, http: Http, now: datetime) -> Answer:
        """To one number after the other. What ends with one of them is no reason to leave out the others."""
        known = Recipients.read(self.marks, self.ledger)
        known.keep_only(self._numbers, now=now)
        api = TwilioApi(HOSTS[self.region], self.account, self._credentials, http, now)
        said = api.look_at_account() if message.kind == TEST else None
        if said is None or said.outcome is Outcome.DELIVERED:
            said = self._to_each(message, known, api, now)
        after = {"ledger": known.ledger_text, "marks": known.marks_text}
        changes = {
            name: partial(recipients.merged, was, text)
            for name, text in after.items()
            if text != (was := getattr(self, name))
        }
        return replace(said, changes=changes)

    def hear(self, call: Call, *, now: datetime) -> Heard:
        return reports.hear(call, self.auth_token, self.marks)

    def to_confirm(self, *, now: datetime) -> Sequence[ToConfirm]:
        known = Recipients.read(self.marks, self.ledger)
        found = [reports.standing(number, known, self.sender, now) for number in self._numbers]
        labels = told_apart([each.label for each in found])
        return [replace(each, label=label) for each, label in zip(found, labels, strict=True)]

    def confirm(self, key: str, code: str, *, now: datetime) -> Confirmed:
        known = Recipients.read(self.marks, self.ledger)
        number = next((each for each in self._numbers if recipients.key_of(each) == key), None)
        if number is None:
            return Confirmed({}, "There is no such number any more.")
        wrong = known.confirm(number, code, now=now)
        return Confirmed({"ledger": known.ledger_text, "marks": known.marks_text}, wrong)

    # What is said

    @property
    def _credentials(self) -> tuple[str, str]:
        return (self.key, self.secret) if self.key and self.secret else (self.account, self.auth_token)

    @property
    def _numbers(self) -> list[str]:
        return recipients.numbers_in(self.numbers)

    def _text(self, message: Message) -> str:
        """`API-42 NEW ValueError: bad literal https://t.example.com/i/API-42`, in one segment."""
        link = message_words.short_link(message) if self.link == "yes" else ""
        if message.issue is None:
            return sms_text.one_segment("", message.headline, "" if message.kind == TEST else link)
        start = f"{message.issue.short_id} {message_words.word(message).upper()}"
        title = message_words.what(message) if message.issue.title else message.project
        return sms_text.one_segment(start, title, link)

    def _form(self, text: str, message: Message, *, is_reported: bool) -> dict[str, Any]:
        sender = "MessagingServiceSid" if _SERVICE.fullmatch(self.sender) else "From"
        form: dict[str, Any] = {
            sender: self.sender,
            "Body": text,
            "ValidityPeriod": VALID_SECONDS,
            "SmartEncoded": "true",
            "RiskCheck": "disable",
        }
        if self.retention == "none":
            form |= {"ContentRetention": "discard", "AddressRetention": "obfuscate"}
        callback = message.callbacks.get(reports.STATUS, "")
        if is_reported and self.auth_token and _can_be_called(callback):
            form["StatusCallback"] = callback
        return form

    # To each

    def _to_each(self, message: Message, known: Recipients, api: TwilioApi, now: datetime) -> Answer:
        spent, last = timedelta(), None
        for number in self._numbers:
            due = self._due(number, message, known, now)
            if due is None:
                continue
            if spent > LONGEST_TRY:
                return Answer(Outcome.RETRY, "slow", "Twilio is slow: the other numbers' turn is next.")
            said = self._to_one(number, due, message, api)
            spent += timedelta(milliseconds=said.milliseconds)
            if said.code in answers.RECIPIENT:
                known.switch_off(number, said.code)
            elif said.outcome is not Outcome.DELIVERED:
                return said
            else:
                due.note()
                known.switch_on(number)
                last = said
        return reports.summed_up(self._numbers, known, self.sender, message, last)

    def _due(self, number: str, message: Message, known: Recipients, now: datetime) -> Due | None:
        """What to send to the number now, if anything."""
        is_off = (
            known.off(number) and message.kind != TEST
        )  # whoever tests wants to know whether it is on again
        if is_off or known.has(number, message.id):
            return None
        room = known.room(number, hourly=int(self.hourly), daily=int(self.daily), now=now)
        if not known.is_confirmed(number):
            may_ask = message.kind == TEST and room == YES and known.may_be_asked(number, now=now)
            return self._question(number, message, known, now) if may_ask else None
        if room == MORE:
            text = sms_text.one_segment("", "There are more alerts: see", message.instance_url)
            return Due(text, lambda: known.sent_more(number, message.id, now=now))
        if room == NO:
            return None
        return Due(self._text(message), lambda: known.sent(number, message.id, now=now))

    def _question(self, number: str, message: Message, known: Recipients, now: datetime) -> Due:
        code = f"{secrets.randbelow(10**6):06}"
        words = f"is the code with which Tocsin may send alerts of {message.project} here."

        def note() -> None:
            known.ask(number, code, secrets.token_hex(8), now=now)
            known.sent(number, message.id, now=now)

        return Due(sms_text.one_segment(code, words), note, secret=code)

    def _to_one(self, number: str, due: Due, message: Message, api: TwilioApi) -> Answer:
        """What may have got through unseen is looked up first: each message costs money."""
        if message.is_repeat:
            found = api.look_up(number, due.text, since=message.at)
            if found is not None:
                return found
        form = {"To": number, **self._form(due.text, message, is_reported=True)}
        said = api.send(form, secret=due.secret)
        if said.code != answers.BAD_CALLBACK:
            return said
        said = api.send({"To": number, **self._form(due.text, message, is_reported=False)}, secret=due.secret)
        words = f"Twilio cannot call {message.instance_url}: STOP and lost messages go unheard (21609)."
        return replace(said, advice=said.advice or words)


def _can_be_called(url: str) -> bool:
    """Twilio takes no host with an underscore in its name."""
    is_fine = bool(url) and not outward.wrong_with_url(url, Allowed())
    return is_fine and "_" not in urlsplit(url).netloc and len(url) <= LONGEST_CALLBACK
