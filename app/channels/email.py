"""Mail: Flask-Mail's messages and connections, made fit for real relays.

Its subclass of `Message` writes short lines and one Message-ID; its subclass of `Connection` knows time-outs,
checks certificates and keeps the relay's answer. Without a server, mail is captured as files.
"""

import binascii
import os
import queue
import secrets
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, TypeVar

from flask_mail import Connection, Message, sanitize_address

from app.channels.base import Mail, Result, Sent
from app.domain.delivery_states import CAPTURED

T = TypeVar("T")
TIMEOUT_SECONDS = 10
CONNECTIONS = 4
GATHER_SECONDS = 0.02
LONGEST_SUBJECT = 200
# Refusals that blame the sender (policy, authentication), not this address (`experience.md` 1.8).
SENDERS_FAULT = ("5.7.", "4.7.")


class TocsinMessage(Message):
    """A bare multipart/alternative in quoted-printable: no line over 78 octets, so no relay rewraps one.

    Written out here, because the email package's generator goes line by line and takes ten times as long:
    3.1 ms against 0.3 ms for a mail of 20 KB.
    """

    def as_bytes(self) -> bytes:
        boundary = f"=_{secrets.token_hex(16)}"
        head = [f"{name}: {_header(value)}" for name, value in self._all_headers()]
        head.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
        parts = (_part("plain", self.body or ""), _part("html", self.html or ""))
        body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body + f"--{boundary}--\r\n".encode()

    def _all_headers(self) -> Iterator[tuple[str, str]]:
        yield "From", str(self.sender)
        yield "To", sanitize_address(self.recipients[0])
        yield "Subject", self.subject[:LONGEST_SUBJECT]
        yield "Message-ID", self.msgId
        yield from (self.extra_headers or {}).items()
        yield "MIME-Version", "1.0"


def _part(subtype: str, text: str) -> bytes:
    head = (f"Content-Type: text/{subtype}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "")
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8", "replace"), istext=True).decode("ascii")
    return "\r\n".join([*head, *encoded.split("\n")]).encode()


def _header(value: str) -> str:
    """One line of printable ASCII: what an event says can neither add a header nor break one."""
    plain = value
    if not value.isprintable():
        plain = "".join(character if character.isprintable() else " " for character in value)
    plain = " ".join(plain.split())
    return plain if plain.isascii() else Header(plain, "utf-8").encode(linesep="\r\n")


def build(mail: Mail, sender: str, at: datetime) -> bytes:
    """The mail as it goes over the wire. Needs an application context, for Flask-Mail."""
    address = parseaddr(sender)[1]
    message = TocsinMessage(
        subject=mail.subject,
        recipients=[(mail.to_name, mail.to_address)],
        body=mail.text,
        html=mail.html,
        sender=sanitize_address((mail.sender_name, address)),
        extra_headers={"Date": format_datetime(at), **dict(mail.headers)},
    )
    message.msgId = mail.message_id
    return message.as_bytes()


class RelayConnection(Connection):
    """A connection that is kept between messages and reports each answer."""

    def configure_host(self) -> smtplib.SMTP:
        settings = self.mail
        context = ssl.create_default_context()
        host: smtplib.SMTP
        if settings.use_ssl:
            host = smtplib.SMTP_SSL(settings.server, settings.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            host = smtplib.SMTP(settings.server, settings.port, timeout=TIMEOUT_SECONDS)
        try:
            if settings.use_tls:
                host.starttls(context=context)
            if settings.username and settings.password:
                host.login(settings.username, settings.password)
        except BaseException:
            host.close()
            raise
        return host

    def close(self) -> None:
        """Take leave; a relay that has gone already is no error."""
        if self.host is not None:
            with suppress(smtplib.SMTPException, OSError):
                self.host.quit()
            self.host = None

    def transmit(self, envelope_from: str, to: str, raw: bytes) -> tuple[int, str, Result]:
        """Hand over one message: the relay's code and text, and what they mean for the message.

        Raises when the relay cannot be talked to.
        """
        host, code, reply = self._begin(envelope_from)
        if code != 250:  # it is the sender that is refused, whoever it writes to
            host.rset()
            return code, _text(reply), Result.RETRY
        code, reply = host.rcpt(to)
        if code not in (250, 251):
            host.rset()
            return code, _text(reply), classify(code, _text(reply))
        code, reply = host.data(raw)
        return code, _text(reply), classify(code, _text(reply))

    def _begin(self, envelope_from: str) -> tuple[smtplib.SMTP, int, bytes]:
        """Name the sender, on a fresh connection where the kept one turns out to be closed.

        Nothing is begun anew later than this: the relay may have taken the message though its answer is lost.
        """
        if self.host is not None:
            try:
                return self.host, *self.host.mail(envelope_from)
            except (smtplib.SMTPServerDisconnected, ConnectionError):
                self.host = None
        self.host = self.configure_host()
        self.host.ehlo_or_helo_if_needed()
        return self.host, *self.host.mail(envelope_from)


def _text(reply: bytes) -> str:
    return reply.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One finished message on its way."""

    delivery_id: int
    to: str
    raw: bytes
    subject: str
    message_id: str

    @property
    def name(self) -> dict[str, object]:
        """What the message is known by on its way."""
        return {"delivery": self.delivery_id, "subject": self.subject[:255], "message_id": self.message_id}


class Relay:
    """Sends through the SMTP server of Flask-Mail's settings, over several kept connections at once."""

    def __init__(self, state: Any, envelope_from: str) -> None:
        self.state = state
        self.envelope_from = parseaddr(envelope_from)[1]
        self.connections = [RelayConnection(state) for _ in range(CONNECTIONS)]

    def send(self, messages: Sequence[Outgoing], *, seconds: float) -> Iterator[list[Sent]]:
        """One `Sent` a message, as the answers come in; together what has come in meanwhile.

        No message is begun after so many seconds: the rest comes back as not tried. A relay that takes its
        time would otherwise outlast the claim, and another worker would send the same again.
        """
        waiting: queue.SimpleQueue[Outgoing] = queue.SimpleQueue()
        for message in messages:
            waiting.put(message)
        answers: queue.SimpleQueue[Sent] = queue.SimpleQueue()
        until = time.monotonic() + seconds
        lanes = [
            threading.Thread(target=self._drain, args=(connection, waiting, answers, until), daemon=True)
            for connection in self.connections[: len(messages)]
        ]
        for lane in lanes:
            lane.start()
        try:
            missing = len(messages)
            while missing:
                came = _gathered(answers, missing)
                missing -= len(came)
                yield came
        finally:  # whoever asked may stop listening; the connections are needed again
            _empty(waiting)
            for lane in lanes:
                lane.join()

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def _drain(
        self,
        connection: RelayConnection,
        waiting: "queue.SimpleQueue[Outgoing]",
        answers: "queue.SimpleQueue[Sent]",
        until: float,
    ) -> None:
        while True:
            try:
                message = waiting.get_nowait()
            except queue.Empty:
                return
            if time.monotonic() < until:
                answers.put(self._hand_over(connection, message))
            else:
                answers.put(Sent(message.delivery_id, Result.NOT_TRIED))

    def _hand_over(self, connection: RelayConnection, message: Outgoing) -> Sent:
        started = time.monotonic()
        try:
            code, reply, result = connection.transmit(self.envelope_from, message.to, message.raw)
        except (smtplib.SMTPServerDisconnected, ConnectionError) as error:
            connection.host = None
            code, reply, result = 0, _words(error), Result.RETRY
        except smtplib.SMTPDataError as error:
            connection.close()
            code, reply = error.smtp_code, _words(error)
            result = classify(code, reply)
        except (smtplib.SMTPException, OSError) as error:
            connection.close()
            code, reply, result = getattr(error, "smtp_code", 0), _words(error), Result.RETRY
        except ValueError as error:  # an address that SMTP cannot carry
            connection.close()
            code, reply, result = 0, _words(error), Result.FAILED
        milliseconds = round((time.monotonic() - started) * 1000)
        peer = f"{self.state.server}:{self.state.port}"
        return Sent(message.delivery_id, result, str(code or ""), reply[:500], milliseconds, peer)


def _gathered(answers: "queue.SimpleQueue[Sent]", most: int) -> list[Sent]:
    """The next answer, and those that follow it at once: together they cost no more to write down."""
    came = [answers.get()]
    until = time.monotonic() + GATHER_SECONDS
    with suppress(queue.Empty):
        while len(came) < most and (left := until - time.monotonic()) > 0:
            came.append(answers.get(timeout=left))
    return came


def _empty(waiting: "queue.SimpleQueue[T]") -> list[T]:
    """What is in it now."""
    taken: list[T] = []
    with suppress(queue.Empty):
        while True:
            taken.append(waiting.get_nowait())
    return taken


def classify(code: int, reply: str) -> Result:
    """Whether the answer is yes, no, or not now."""
    if 200 <= code < 300:
        return Result.ACCEPTED
    if 500 <= code < 600 and not reply.startswith(SENDERS_FAULT):
        return Result.FAILED
    return Result.RETRY


def _words(error: Exception) -> str:
    said = getattr(error, "smtp_error", None)
    return _text(said) if isinstance(said, bytes) else f"{type(error).__name__}: {error}"


class Capture:
    """Keeps mail as files, exactly as it would have been sent, for `/dev/mail/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, messages: Sequence[Outgoing], *, seconds: float) -> Iterator[list[Sent]]:
        """One `Sent` a message; a file takes no time worth limiting."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in messages:
            # Named after the delivery, so that sending again after a crash replaces the same file.
            path = self.folder / f"{message.delivery_id:010d}.eml"
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(message.raw)
            os.replace(unfinished, path)
            answer = "kept: no mail server is set"
            yield [Sent(message.delivery_id, Result.ACCEPTED, response=answer, peer=CAPTURED)]

    def close(self) -> None:
        """Nothing is held open."""
