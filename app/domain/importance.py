"""How much an issue matters: what somebody chose, else what its level says (`web-api.md` 4).

Pages and programs call it priority. It is another thing than the order of that name (`domain/priority.py`).
"""

from collections.abc import Mapping, Sequence

HIGH, MEDIUM, LOW = "high", "medium", "low"
CHOICES: Sequence[str] = (HIGH, MEDIUM, LOW)
OF_LEVEL: Mapping[str, str] = {
    "fatal": HIGH,
    "error": HIGH,
    "warning": MEDIUM,
    "info": LOW,
    "debug": LOW,
}


def of(chosen: str | None, level: str) -> str:
    return chosen or OF_LEVEL[level]
