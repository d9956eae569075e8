"""Asks the process that reads source maps, and remembers which it could not read."""

import json
import logging
import socket
import subprocess
import sys
import time
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.domain.source_maps import Token

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    "from app.services.releases import map_worker; map_worker.main()"
)
# A map of 15 MB is read in two seconds.
MOST_SECONDS = 8.0
# What took too long or could not be read is not read again for each event.
REMEMBERED, MEMORY_SECONDS = 1000, 3600.0
PASSING = frozenset({"map_file_lost"})
# A script that is nested too deeply to be analysed ends the process. Its map may be good: what functions were
# called stays unknown then.
DEADLY = "map_malformed_script"
MOST_ANSWER = 64 << 20


class Place(NamedTuple):
    """Where bytes lie: a file, or what is called `member` in an archive."""

    file: str
    member: str | None


class MapPair(NamedTuple):
    """A source map, and the minified file that it is of, which says what functions were called."""

    map: Place
    code: Place | None


class Unusable(Exception):
    """Why a map could not be used: a name in `source_maps.PROBLEMS`."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Maps:
    """Starts the process when it is first needed, and anew after it had to be ended."""

    def __init__(self) -> None:
        self._reader: _Reader | None = None
        self._bad: OrderedDict[MapPair, tuple[str, float]] = OrderedDict()

    def look_up(self, pair: MapPair, places: Sequence[tuple[int, int]]) -> list[Token | None]:
        """Where lines and columns of the minified file come from; `Unusable` if the map does not say."""
        known = self._bad.get(pair)
        if known and known[1] > time.monotonic():
            if known[0] == DEADLY and pair.code:
                return self.look_up(pair._replace(code=None), places)
            raise Unusable(known[0])
        try:
            return self._ask(pair, places)
        except Unusable as unusable:
            if unusable.problem not in PASSING:
                self._remember(pair, unusable.problem)
            if unusable.problem == DEADLY and pair.code:
                return self.look_up(pair._replace(code=None), places)
            raise

    def close(self) -> None:
        if self._reader:
            self._reader.close()
            self._reader = None

    def _ask(self, pair: MapPair, places: Sequence[tuple[int, int]]) -> list[Token | None]:
        reader = self._reader = self._reader or _Reader()
        try:
            said = reader.ask({"map": pair.map, "code": pair.code, "at": places})
        except TimeoutError:
            self.close()
            raise Unusable("map_too_slow") from None
        except (OSError, ValueError):
            self.close()
            log.warning("a source map ended the process that read it", extra={"file": pair.map.file})
            raise Unusable(DEADLY) from None
        if "wrong" in said:
            raise Unusable(said["wrong"])
        return [Token(*each) if each else None for each in said["found"]]

    def _remember(self, pair: MapPair, problem: str) -> None:
        self._bad[pair] = (problem, time.monotonic() + MEMORY_SECONDS)
        self._bad.move_to_end(pair)
        while len(self._bad) > REMEMBERED:
            self._bad.popitem(last=False)


class _Reader:
    def __init__(self) -> None:
        self._wire, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (ours, with nothing of anybody else's in it)
                [sys.executable, "-I", "-B", "-c", PROGRAM],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
            )
        self._lines = self._wire.makefile("rb")
        self.close = weakref.finalize(self, _end, self._process, self._lines, self._wire)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self._wire.settimeout(MOST_SECONDS)
        self._wire.sendall(json.dumps(question).encode() + b"\n")
        said: dict[str, Any] = json.loads(self._lines.readline(MOST_ANSWER))
        return said


def _end(process: subprocess.Popen[bytes], lines: Any, wire: socket.socket) -> None:
    lines.close()
    wire.close()
    process.kill()
    process.wait()
