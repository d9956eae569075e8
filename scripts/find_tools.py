"""Finds the programs that the tests need beside Python packages, and says how to get what is missing."""

import os
import shutil
import sys
from pathlib import Path

DEBIAN = {name: name for name in ("chromium", "ngircd", "postgresql", "redis-server")}


def chromium():
    """The browser in CHROMIUM, or the first one on PATH."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def postgresql():
    """The directory of `initdb` and `pg_ctl`, the newest version first. Debian keeps them away from PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    on_path = shutil.which("initdb")
    places = [*versions, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((str(place) for place in places if (place / "pg_ctl").exists()), None)


def redis_server():
    return shutil.which("valkey-server") or shutil.which("redis-server")


def ngircd():
    """Debian keeps it where only root looks."""
    return shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin:/usr/local/sbin")


def missing():
    found = {
        "chromium": chromium(),
        "ngircd": ngircd(),
        "postgresql": postgresql(),
        "redis-server": redis_server(),
    }
    return [name for name, place in found.items() if place is None]


if __name__ == "__main__":
    if lacking := missing():
        packages = " ".join(DEBIAN[name] for name in lacking)
        sys.exit(f"The tests need {', '.join(lacking)} (Debian, as root: apt-get install {packages}).")
