"""sentry-cli as it is published, run against a Tocsin that answers on loopback.

Version 2 comes with the requirements of development. Version 3 has another licence: tests take it where
somebody has put it on PATH, or named it in SENTRY_CLI, and are skipped where not.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server


@cache
def find(major: int) -> str | None:
    """The program of this major version, if there is one."""
    places = [
        *os.environ.get("SENTRY_CLI", "").split(os.pathsep),
        str(Path(sys.executable).with_name("sentry-cli")),
        shutil.which("sentry-cli") or "",
    ]
    return next((each for each in places if Path(each).is_file() and major_of(each) == major), None)


def major_of(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30)
    return int(said.stdout.split()[1].split(".")[0])


class SentryCli:
    """`cli("releases", "new", "1.0")` gives what it wrote; anything but success fails the test."""

    def __init__(self, program: str, url: str, token: str, cwd: Path) -> None:
        self.program, self.cwd = program, cwd
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(cwd),
            "SENTRY_URL": url,
            "SENTRY_AUTH_TOKEN": token,
            "SENTRY_ORG": "acme",
            "SENTRY_PROJECT": "shop",
            "SENTRY_DISABLE_UPDATE_CHECK": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *words],
            cwd=self.cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def __call__(self, *words: str) -> str:
        said = self.run(*words)
        assert said.returncode == 0, f"{' '.join(words)}: {said.stdout}{said.stderr}"
        return said.stdout


class Repository:
    """A git repository with one file, in which commits are made."""

    def __init__(self, path: Path, *, author: str, email: str) -> None:
        self.path = path
        self._as = {
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": author,
            "GIT_COMMITTER_EMAIL": email,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        self._git("init", "-q", "-b", "main")
        self._git("remote", "add", "origin", "https://git.example.com/acme/shop.git")

    def commit(self, message: str) -> str:
        """Its hash."""
        file = self.path / "cart.py"
        file.write_text(f"{message}\n")
        self._git("add", ".")
        self._git("commit", "-q", "-m", message)
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        environment: Mapping[str, str] = {**os.environ, **self._as}
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout


@contextmanager
def served(application: object) -> Iterator[str]:
    """The address at which the application answers."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class Late:
    """An application that is made once its address is known."""

    application: Any

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.application(environ, start_response)
