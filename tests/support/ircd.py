"""A real ngircd on loopback, as a user of its own: with TLS, keyed, moderated and closed channels."""

import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SETTINGS = """\
[Global]
  Name = irc.test.local
  Info = test
  AdminEMail = test@localhost
  Listen = 127.0.0.1
  Ports = {port}
  MotdPhrase = hi
  {password}
[Limits]
  MaxNickLength = 9
  MaxConnectionsIP = 0
  PingTimeout = 20
  PongTimeout = 8
  MaxJoins = {most_channels}
[Options]
  PAM = no
  Ident = no
  DNS = no
  RequireAuthPing = yes
[SSL]
  CertFile = {directory}/cert.pem
  KeyFile = {directory}/key.pem
  Ports = {tls_port}
[Channel]
  Name = #keyed
  Modes = tnk hunter2
[Channel]
  Name = #inviteonly
  Modes = i
[Channel]
  Name = #mod
  Modes = tnm
[Channel]
  Name = #inside
  Modes = tn
[Channel]
  Name = #open
  Modes = t
"""


def certificate(directory: Path) -> str:
    """A certificate of its own making; its SHA-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "irc.test.local")])
    begun = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (directory / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return made.fingerprint(hashes.SHA256()).hex()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Runs as soon as it is made."""

    def __init__(self, program: str, *, password: str = "", most_channels: int = 10) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="ngircd-"))
        self.fingerprint = certificate(self._directory)
        self.port, self.tls_port = free_port(), free_port()
        settings = SETTINGS.format(
            port=self.port,
            tls_port=self.tls_port,
            directory=self._directory,
            password=f"Password = {password}" if password else "",
            most_channels=most_channels,
        )
        path = self._directory / "ngircd.conf"
        path.write_text(settings)
        self._directory.chmod(0o755)
        for each in self._directory.iterdir():
            each.chmod(0o644)  # it leaves root's rights behind before it reads the key
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([program, "-n", "-f", str(path)], **quiet)
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
                return
            except OSError:
                assert self._process.poll() is None, "ngircd ended"
                time.sleep(0.02)
        raise AssertionError("ngircd did not start within four seconds")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(5)
        shutil.rmtree(self._directory, ignore_errors=True)


class Person:
    """Somebody who sits in channels and reads along."""

    def __init__(self, port: int, nick: str, *channels: str, password: str = "") -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._connection.settimeout(None)
        self.heard = ""
        threading.Thread(target=self._read, daemon=True).start()
        if password:
            self.say(f"PASS {password}")
        self.say(f"NICK {nick}")
        self.say(f"USER {nick} 0 * :{nick}")
        self.until(" 376 ")
        for channel in channels:
            self.say(f"JOIN {channel}")
            self.until(f" 366 {nick} {channel.split()[0]} ")

    def say(self, line: str) -> None:
        self._connection.sendall(line.encode() + b"\r\n")

    def _read(self) -> None:
        with (
            suppress(OSError, ValueError),
            self._connection.makefile("r", encoding="utf-8", newline="\n") as lines,
        ):
            for line in lines:
                self.heard += line
                if line.startswith("PING "):
                    self.say(f"PONG {line[5:].rstrip()}")

    def until(self, sign: str, *, seconds: float = 15.0) -> str:
        """All that was heard, once that is among it."""
        deadline = time.monotonic() + seconds
        while sign not in self.heard:
            assert time.monotonic() < deadline, f"{sign} was never heard: {self.heard}"
            time.sleep(0.01)
        return self.heard

    def said(self, target: str, command: str = "NOTICE") -> list[str]:
        """The texts that came for a channel or a nick, until now."""
        token = f"until-{len(self.heard)}"
        self.say(f"PING :{token}")
        self.until(f"PONG irc.test.local :{token}")
        parts = (line.partition(f" {command} {target} :") for line in self.heard.splitlines())
        return [text for source, sign, text in parts if sign and "!" in source]

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


# A server that says what it is told to


@dataclass
class Scripted:
    """`answers` are pairs of how a line begins and what is said to it, each used once; all lines are kept."""

    answers: list[tuple[str, Sequence[str]]]
    context: ssl.SSLContext | None = None
    port: int = 0
    heard: list[str] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with suppress(OSError), connection:
                self._talk_to(connection)

    def _talk_to(self, connection: socket.socket) -> None:
        if not self.context:
            self._talk(connection)
            return
        with self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure:
            secure.do_handshake()
            self._talk(secure)

    def _talk(self, connection: socket.socket) -> None:
        left = [*self.answers, ("QUIT", ["ERROR :Bye", "cut"])]
        with connection.makefile("r", encoding="utf-8", newline="\r\n") as lines:
            for line in lines:
                self.heard.append(line.rstrip("\r\n"))
                found = next((each for each in left if line.startswith(each[0])), None)
                if found is None:
                    continue
                left.remove(found)
                for said in found[1]:
                    if said == "cut":
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    token = line.rstrip("\r\n").split(" ", 1)[-1]
                    connection.sendall(f"{said.replace('{rest}', token)}\r\n".encode())

    def stop(self) -> None:
        self._listening.close()


@contextmanager
def scripted(
    *answers: tuple[str, Sequence[str]], context: ssl.SSLContext | None = None
) -> Iterator[Scripted]:
    made = Scripted(list(answers), context)
    try:
        yield made
    finally:
        made.stop()
