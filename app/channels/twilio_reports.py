"""What Twilio reports of messages, and what people answer to them: each number's standing, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.channels import twilio_answers as answers
from app.channels.base import Answer, Call, Heard, Outcome, ToConfirm
from app.domain import recipients, twilio_signing
from app.domain.message import Message
from app.domain.recipients import Recipients

STATUS, INBOUND = "status", "in"
STOPS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
STARTS = ("START", "YES", "UNSTOP")
REFUSED = Heard(403, "Not signed by this integration's account.")
NOTED = Heard(204, "", None)
SAID_NOTHING = Heard(200, "<Response/>", "text/xml; charset=utf-8")
# Among the marks, what carriers hold against the sender: no number begins so.
SENDER = "sender"


def hear(call: Call, token: str, marks: str) -> Heard:
    """A report, or somebody's own message. Only what is signed with the auth token counts."""
    form = twilio_signing.form_of(call.body)
    given = call.headers.get("x-twilio-signature", "")
    if not token or not twilio_signing.is_genuine(token, call.url, form, given):
        return REFUSED
    note = _answered if call.name == INBOUND else _reported
    answer = SAID_NOTHING if call.name == INBOUND else NOTED

    def noted(before: str) -> str:
        known = Recipients.read(before, "")
        note(dict(form), known)
        return known.marks_text

    if noted(marks) == Recipients.read(marks, "").marks_text:
        return answer
    return Heard(answer.status, answer.text, answer.content_type, changes={"marks": noted})


def _answered(fields: Mapping[str, str], known: Recipients) -> None:
    number, word = fields.get("From", ""), _word(fields)
    if word in STOPS:
        known.switch_off(number, answers.STOPPED)
    elif word in STARTS and known.off(number):
        known.switch_on(number)


def _word(fields: Mapping[str, str]) -> str:
    return (fields.get("OptOutType") or fields.get("Body", "")).strip().upper()


def _reported(fields: Mapping[str, str], known: Recipients) -> None:
    number, status = fields.get("To", ""), fields.get("MessageStatus", "")
    code, sid = fields.get("ErrorCode", ""), fields.get("MessageSid", "")
    if status == "delivered":
        known.arrived(number)
        known.marks.pop(SENDER, None)
    elif status in ("undelivered", "failed") and code in answers.LOST:
        known.report_missing(number, sid, code)
    elif status in ("undelivered", "failed") and code in answers.CARRIER:
        known.marks[SENDER] = {"off": code}
    elif status in ("undelivered", "failed") and code == answers.STOPPED:
        known.switch_off(number, code)


def standing(number: str, known: Recipients, sender: str, now: datetime) -> ToConfirm:
    """How a number stands, for the integration's page."""
    key, label = recipients.key_of(number), recipients.masked(number)
    is_asked = known.is_asked(number, now=now)
    if off := known.off(number):
        return ToConfirm(key, label, f"off: {why_off(off, sender)}", "failed")
    if known.is_confirmed(number):
        return ToConfirm(key, label, "confirmed", "sent")
    words = "a code was sent to it" if is_asked else "not confirmed: send a test, which sends it a code"
    return ToConfirm(key, label, words, "held", is_asked)


def why_off(code: str, sender: str) -> str:
    said = f"{answers.RECIPIENT.get(code, 'does not take messages')} ({code})"
    return f"{said}: text START to {sender} to turn it on again" if code == answers.STOPPED else said


def advice(numbers: Sequence[str], known: Recipients, sender: str) -> str:
    """What whoever looks after the integration should know of its numbers and its sender."""
    said = [
        f"{recipients.masked(each)} {why_off(code, sender)}." for each in numbers if (code := known.off(each))
    ]
    waiting = [recipients.masked(each) for each in numbers if _is_waiting(each, known)]
    if waiting:
        said.append(f"Not confirmed: {', '.join(waiting)}.")
    if SENDER in known.marks:
        said.append(answers.CARRIER.get(known.off(SENDER), ""))
    return " ".join(said)


def _is_waiting(number: str, known: Recipients) -> bool:
    return not known.is_confirmed(number) and not known.off(number)


def summed_up(
    numbers: Sequence[str], known: Recipients, sender: str, message: Message, last: Answer | None
) -> Answer:
    """What came of the message as a whole: one who has it is enough."""
    words = advice(numbers, known, sender)
    if last is not None:
        return replace(last, advice=" ".join(filter(None, (words, last.advice))))
    if any(known.has(each, message.id) for each in numbers):
        return Answer(Outcome.DELIVERED, advice=words)
    if all(known.off(each) for each in numbers):
        return Answer(Outcome.BROKEN, "numbers", advice=words or "There is no number to send to.")
    if any(known.is_confirmed(each) and not known.off(each) for each in numbers):
        return Answer(Outcome.UNSENT, "cap", "Each number has had its most: nothing was sent.", advice=words)
    return Answer(Outcome.BLOCKED, "unconfirmed", words, advice=f"{words} Send a test: it sends the codes.")
