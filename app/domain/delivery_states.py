"""The states of a delivery, and what each of them means wherever one is shown, counted or looked for."""

from collections.abc import Mapping
from dataclasses import dataclass

QUEUED, SENDING, DEFERRED = "queued", "sending", "deferred"
ACCEPTED, FAILED, EXPIRED, CANCELLED = "accepted", "failed", "expired", "cancelled"


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """`bucket` is where `Reach` counts it; `mark` and `words` are its badge, `meaning` is for sentences.

    A waiting one may be taken by a worker; of a final one nothing more will become by itself.
    """

    bucket: str
    mark: str
    words: str
    meaning: str
    is_waiting: bool = False
    is_final: bool = False


STATES: Mapping[str, DeliveryState] = {
    QUEUED: DeliveryState("sending", "waiting", "on its way", "queued", is_waiting=True),
    SENDING: DeliveryState("sending", "waiting", "on its way", "being sent"),
    DEFERRED: DeliveryState(
        "retrying", "waiting", "trying again", "not taken yet, next try", is_waiting=True
    ),
    ACCEPTED: DeliveryState("told", "sent", "sent", "accepted by the mail server", is_final=True),
    FAILED: DeliveryState("failed", "failed", "failed", "refused by the mail server", is_final=True),
    EXPIRED: DeliveryState("failed", "failed", "given up", "given up after many tries", is_final=True),
    CANCELLED: DeliveryState(
        "not_told", "not_sent", "not sent", "cancelled before it was sent", is_final=True
    ),
}
WAITING = tuple(name for name, state in STATES.items() if state.is_waiting)
UNFINISHED = tuple(name for name, state in STATES.items() if not state.is_final)
# It is known whether the mail server took it.
TRIED = (ACCEPTED, FAILED, EXPIRED)


# Where mail is kept while no mail server is set: there is nobody to accept it.
CAPTURED = "/dev/mail/"


def meaning(state: str, *, peer: str = "") -> str:
    """What became of a message, for sentences; `peer` took it last."""
    if state == ACCEPTED and peer == CAPTURED:
        return "kept here, as no mail server is set"
    return of(state).meaning


def of(state: str | None) -> DeliveryState:
    """A message that was decided on and has no row yet is as good as queued."""
    return STATES[state or QUEUED]
