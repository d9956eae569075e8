"""The record of a notice as plain text, to paste where people talk. It says what its reader may see."""

from app.domain.clocks import Clock
from app.services.notices.explaining import Explanation, Line


def of(explanation: Explanation, clock: Clock) -> str:
    """A head, then a line for each person."""
    notice = explanation.notice
    about = " ".join(part for part in (notice.issue_short_id, notice.issue_title) if part)
    head = [
        f"{explanation.word.upper()} {about}".rstrip(),
        clock.second(notice.occurred_at),
        explanation.origin,
        explanation.reach.sentence,
    ]
    if explanation.gate:
        return "\n".join([*head, explanation.gate])
    return "\n".join([*head, "", *(_line(line, clock) for line in explanation.lines)])


def _line(line: Line, clock: Clock) -> str:
    parts = [f"{line.person} ({line.channel}): {line.words}", "; ".join(line.reasons)]
    if not line.reasons or line.mark == "waiting":
        parts.append(line.decided_by.rstrip("."))
    delivery = line.delivery
    if delivery and delivery.finished_at and not line.hides_times:
        parts.append(f"{line.delivery_words} {clock.second(delivery.finished_at)}")
    parts += [f"{each.code} {each.response}".strip() for each in line.attempts[-1:]]
    return " · ".join(part for part in parts if part)
