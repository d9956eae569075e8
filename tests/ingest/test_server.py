"""What only the deployed web server can show: chunked bodies, and answers to clients still sending."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from app.settings import ROOT

pytestmark = pytest.mark.any_database

SERVER = """
from app.ingest import middleware
from app.serve import serve
from app.settings import load
from tests.ingest.conftest import door_app

settings = load()
serve(settings, middleware.wrap(door_app(settings)))
"""
EVENT = b'{}\n{"type":"event"}\n{"message":"hi"}'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


@pytest.fixture
def port(instance) -> Iterator[int]:
    chosen, settings = free_port(), instance.app.config["SETTINGS"]
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "TOCSIN_DATA_DIR": str(settings.tocsin_data_dir),
        "PORT": str(chosen),
        "WEB_PROCESSES": "1",
        "PYTHONPATH": str(ROOT),
    }
    server = subprocess.Popen([sys.executable, "-c", SERVER], env=environment, cwd=ROOT)
    deadline = time.monotonic() + 20
    while not listens(chosen):
        assert server.poll() is None
        assert time.monotonic() < deadline, "the server does not listen"
        time.sleep(0.05)
    yield chosen
    server.terminate()
    server.wait(10)


def test_bodies_as_the_deployed_server_hands_them_on(instance, port):
    def status(body, **headers) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        path, headers = f"/api/{instance.project.id}/envelope/", {"X-Sentry-Auth": instance.auth, **headers}
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    assert status(EVENT) == 200
    assert status(iter([EVENT[:9], EVENT[9:]])) == 200, "chunked, without a Content-Length"
    assert status(b"x" * (21 << 20)) == 413, "the client can read why it was refused"
    assert status(b"x" * 65536 for _ in range(400)) == 413
    assert status(b"x" * (200 << 10), **{"X-Sentry-Auth": "Sentry sentry_key=" + "f" * 32}) == 403
    assert instance.waiting() == 2


def test_a_client_that_hangs_up_half_way_leaves_nothing(instance, port):
    head = (
        f"POST /api/{instance.project.id}/envelope/ HTTP/1.1\r\nHost: h\r\n"
        f"X-Sentry-Auth: {instance.auth}\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(head.encode() + EVENT)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4096).startswith(b"HTTP/1.1 400")
    assert instance.waiting() == 0


REFUSED = {
    403: ("envelope/", "X-Sentry-Auth: Sentry sentry_key=" + "f" * 32),
    401: ("store/", "X-Nothing: x"),
    501: ("minidump/", "X-Nothing: x"),
    404: ("envelope/more/", "X-Nothing: x"),
}


def test_who_is_refused_holds_no_thread_by_sending_slowly(instance, port):
    for status, (endpoint, header) in REFUSED.items():
        head = (
            f"POST /api/{instance.project.id}/{endpoint} HTTP/1.1\r\nHost: h\r\n"
            f"{header}\r\nContent-Length: 100000\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(head.encode() + b"x")
            assert client.recv(4096).startswith(f"HTTP/1.1 {status}".encode())
