"""The embedded server: private, lasting, and found in the right order."""

from pathlib import Path

import pytest

from app import queue, redis_server
from app.cannot_start import CannotStart
from app.settings import load
from tests.operations.conftest import running_redis


def test_what_was_acknowledged_survives_kill_9(settings):
    with running_redis(settings) as server:
        with queue.connect(settings) as connection:
            for number in range(100):
                connection.xadd("events", {"number": number})
        server.kill()
    with running_redis(settings), queue.connect(settings) as connection:
        assert connection.xlen("events") == 100


def test_it_has_no_port_and_evicts_nothing(connection):
    settings = connection.config_get("*")
    assert settings["port"] == "0"
    assert settings["appendonly"] == "yes"
    assert settings["maxmemory-policy"] == "noeviction"


def test_only_its_owner_may_connect(connection, settings):
    assert redis_server.socket_path(settings.tocsin_data_dir).stat().st_mode & 0o077 == 0


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path):
    settings = load({"TOCSIN_DATA_DIR": str(tmp_path / ("deep " * 20) / ("deeper " * 10))})
    path = redis_server.socket_path(settings.tocsin_data_dir)
    assert len(bytes(path)) < 100
    assert path.parent.stat().st_mode & 0o077 == 0
    assert redis_server.socket_path(settings.tocsin_data_dir) == path
    with running_redis(settings), queue.connect(settings) as connection:
        assert connection.ping()


def test_a_short_directory_that_others_can_write_is_not_used(tmp_path):
    settings = load({"TOCSIN_DATA_DIR": str(tmp_path / ("deep " * 30))})
    path = redis_server.socket_path(settings.tocsin_data_dir)
    path.parent.chmod(0o777)
    assert redis_server.socket_path(settings.tocsin_data_dir) != path


def _program(directory: Path, name: str, version: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\necho 'server v={version} sha=0'\n")
    (directory / name).chmod(0o755)


def test_one_on_the_path_comes_first_if_it_is_new_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    _program(tmp_path / "bin", "valkey-server", "8.1.0")
    assert redis_server.find_server() == f"{tmp_path}/bin/valkey-server"


def test_an_old_one_on_the_path_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin")
    _program(tmp_path / "bin", "redis-server", "6.0.16")
    found = redis_server.find_server()
    assert found != f"{tmp_path}/bin/redis-server"
    assert redis_server.version(found) >= (6, 2)


def test_the_packages_carry_one_when_the_path_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(redis_server.find_server()).name in {"valkey-server", "redis-server"}


def test_without_any_server_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr(redis_server, "OLDEST", (99, 0))
    with pytest.raises(CannotStart, match=r"^No Redis found: set REDIS_URL.*$"):
        redis_server.find_server()
