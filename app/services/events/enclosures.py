"""What travels beside an event, as rows: attachments, and what people wrote about an error."""

import hashlib
import re
from typing import Any

from app.domain import tolerant_json
from app.domain.envelope import Item, event_id_from
from app.domain.rejections import Malformed
from app.models import Project
from app.services.events.stream_entry import Entry
from app.services.issues import feedback
from app.services.issues.feedback import Words

MAX_ATTACHMENT = 20 << 20
MAX_ATTACHMENTS = 50 << 20
MAX_COUNT = 30
# JSON takes up to thirty times its size once it is parsed.
MAX_FEEDBACK = 1 << 20


def attachment(item: Item, entry: Entry) -> dict[str, Any]:
    """A row without its event; only the last part of a file's path is kept."""
    name = re.split(r"[\\/]", _line(item.headers.get("filename")))[-1]
    body = item.payload
    return {
        "project_id": entry.project_id,
        "event_id": entry.event_id,
        "name": name[:255] or "attachment",
        "content_type": _line(item.headers.get("content_type"))[:128] or "application/octet-stream",
        "type": _line(item.headers.get("attachment_type"))[:64] or "event.attachment",
        "size": len(body),
        "sha1": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "created_at": entry.received_at,
        "body": body,
    }


def within_limits(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The attachments that may be kept, and a note for each that may not."""
    kept: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    room = MAX_ATTACHMENTS
    for row in rows:
        if row["size"] > min(room, MAX_ATTACHMENT) or len(kept) == MAX_COUNT:
            notes.append({"type": "too_large_attachment", "name": row["name"]})
        else:
            kept.append(row)
            room -= row["size"]
    return kept, notes


def feedback_row(item: Item, entry: Entry, project: Project) -> dict[str, Any] | None:
    """A row for a user report or a feedback; None for one that cannot be read or says nothing."""
    if item.size > MAX_FEEDBACK:
        return None
    try:
        payload = tolerant_json.read_object(item.payload, "the feedback")
    except Malformed:
        return None
    said = _said(payload) if item.type == "feedback" else payload
    text = feedback.visible(_text(said.get("comments") or said.get("message")))
    if not text:
        return None
    words = Words(
        comments=text,
        name=_line(said.get("name")),
        email=_line(said.get("email") or said.get("contact_email")),
        url=_line(said.get("url")),
    )
    event_id = event_id_from(said.get("event_id") or said.get("associated_event_id"))
    return feedback.row(project, words, event_id=event_id, now=entry.received_at)


def _said(payload: dict[str, Any]) -> dict[str, Any]:
    contexts = payload.get("contexts")
    said = contexts.get("feedback") if isinstance(contexts, dict) else None
    return said if isinstance(said, dict) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _line(value: Any) -> str:
    """One line without control characters: a name is put into headers and lists."""
    return "".join(character for character in _text(value) if character.isprintable())
