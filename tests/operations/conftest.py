"""A Redis of its own for each module, on a socket in a directory with a space in its name."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis, RedisError

from app import queue, redis_server
from app.settings import Settings, load


@contextmanager
def running_redis(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen(redis_server.command(settings.tocsin_data_dir))
    try:
        with queue.connect(settings) as connection:
            wait_until(lambda: answers(connection))
        yield server
    finally:
        server.kill()
        server.wait()


def answers(connection: Redis) -> bool:
    try:
        return bool(connection.ping())
    except RedisError:
        return False


def wait_until(true, *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    directory: Path = tmp_path_factory.mktemp("with a space")
    return load({"TOCSIN_DATA_DIR": str(directory)})


@pytest.fixture
def connection(settings: Settings) -> Iterator[Redis]:
    with running_redis(settings), queue.connect(settings) as connection:
        connection.flushall()
        yield connection
