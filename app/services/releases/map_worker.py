"""Reads source maps, in a process of its own: started by `maps.py`.

The library is fast, and it analyses JavaScript that strangers uploaded: what is nested deeply enough ends the
process that reads it. So that is this one, which holds nothing but the maps read last, and has a bound on its
memory. It talks to its parent over the socket that is its standard input: one line of JSON in, one out.
"""

import json
import os
import resource
import signal
import socket
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.domain.bundles import BadBundle
from app.services.releases import archives

MAX_CODE, MAX_MAP = 20 << 20, 40 << 20
# Of what was uploaded: in memory it takes about ten times as much.
MAX_KEPT = 48 << 20
MAX_MEMORY = 3 << 30
# Whoever waits for an answer gives up long before.
LONGEST_ANSWER = 30
CONTEXT_LINES = 5

Question = Mapping[str, Any]


class Maps:
    """The maps read last, up to some bytes of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def of(self, question: Question) -> Any:
        key = json.dumps([question["map"], question["code"]])
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        from symbolic.sourcemapcache import SourceMapCache

        map_ = _read(question["map"], MAX_MAP)
        code = _read(question["code"], MAX_CODE) if question["code"] else b""
        made = SourceMapCache.from_bytes(code, map_)
        self._kept[key] = (made, len(map_) + len(code))
        while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > MAX_KEPT:
            self._kept.popitem(last=False)
        return made


class TooLarge(Exception):
    pass


def _read(place: Sequence[str | None], limit: int) -> bytes:
    path, member = Path(str(place[0])), place[1]
    if member is not None:
        found = archives.read(path, member, limit)
    else:
        with path.open("rb") as file:
            found = file.read(limit + 1)
    if found is None or len(found) > limit:
        raise TooLarge
    return found


def answer(maps: Maps, question: Question) -> dict[str, Any]:
    try:
        found = maps.of(question)
        return {"found": [_look_up(found, line, column) for line, column in question["at"]]}
    except (TooLarge, MemoryError):
        return {"wrong": "map_too_large"}
    except FileNotFoundError:
        return {"wrong": "map_file_lost"}
    except BadBundle:
        return {"wrong": "map_malformed"}
    except Exception:  # the library's errors have no base but this
        return {"wrong": "map_malformed"}


def _look_up(found: Any, line: int, column: int) -> list[Any] | None:
    token = found.lookup(line, column, CONTEXT_LINES)
    if token is None or not token.src or not 0 < token.line < 1 << 31:
        return None
    context = [token.pre_context, token.context_line, token.post_context]
    return [token.src, token.line, token.col, token.function_name, *context]


def main() -> None:
    """Ends with its parent, which closes the socket."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # not every system bounds memory
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    maps = Maps()
    wire = socket.socket(fileno=os.dup(0))
    with wire, wire.makefile("rw", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            signal.alarm(LONGEST_ANSWER)
            lines.write(json.dumps(answer(maps, json.loads(line))) + "\n")
            lines.flush()
            signal.alarm(0)
