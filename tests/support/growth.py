"""How much dearer more of the same is, in this process's own time: no clock of the wall has a say in it."""

import time
from collections.abc import Callable

ROUNDS = 7
# A round lasts at least so long, in seconds, so that it can be told from nothing.
LEAST = 0.002


def growth(act: Callable[[str], object], text: str, *, times: int) -> float:
    """How many times as long it takes over the whole text as over the last of so many equal parts of it.

    As many times for what looks at each character so often; the square of it for what goes back and forth.
    """
    part = text[-(len(text) // times) :]
    return _cost(act, text) / _cost(act, part)


def _cost(act: Callable[[str], object], text: str) -> float:
    """The least of several rounds: whatever else the machine does only adds to it."""
    repeats = 1
    while (spent := _spent(act, text, repeats)) < LEAST:
        repeats *= 4
    return min(spent, *(_spent(act, text, repeats) for _ in range(ROUNDS))) / repeats


def _spent(act: Callable[[str], object], text: str, repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        act(text)
    return time.process_time() - began
