"""A PostgreSQL server for the length of a test run: in a short temporary directory, on a unix socket."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

SUPERUSER = "tocsin"
# Nothing here is worth keeping: without these a test would wait for the disk.
HASTE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "",
    "timezone": "America/New_York",  # anything but UTC: a time that loses its zone shows
}


def binaries() -> Path | None:
    """Where the newest installed server lies."""
    if found := shutil.which("postgres"):
        return Path(found).parent
    versions = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    return Path(versions[-1]) if versions else None


class Server:
    """Runs as soon as it is made."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.directory = Path(tempfile.mkdtemp(prefix="tpg", dir="/tmp"))
        self.as_user = self._unprivileged()
        cluster = self.directory / "data"
        self._run(
            "initdb",
            "-D",
            str(cluster),
            "-U",
            SUPERUSER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        options = [part for name, value in HASTE.items() for part in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", cluster, "-k", self.directory, *options],
                stdout=log,
                stderr=log,
                cwd=self.directory,
                **self.as_user,
            )
        self._wait()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@/{name}?host={self.directory}"

    def execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _unprivileged(self) -> dict[str, Any]:
        """PostgreSQL refuses to be run by root."""
        if os.getuid() != 0:
            return {}
        names = {entry.pw_name for entry in pwd.getpwall()}
        account = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(self.directory, account.pw_uid, account.pw_gid)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            capture_output=True,
            text=True,
            cwd=self.directory,
            **self.as_user,
        )
        assert done.returncode == 0, done.stderr

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.directory), user=SUPERUSER, dbname="postgres", autocommit=True)

    def _wait(self) -> None:
        for _ in range(200):
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.directory / "log").read_text()
                time.sleep(0.05)
        raise AssertionError("PostgreSQL did not start within ten seconds")
