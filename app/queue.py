"""The way to Redis: the connection, the queue that workers listen on, leases, and signs of life.

Nothing is remembered here alone: jobs carry ids, and what they are to do stands in the database.
"""

import os
import secrets
import socket

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry as Reconnect
from rq import Queue, Retry
from rq.job import Job
from rq.serializers import JSONSerializer

from app import redis_server
from app.settings import Settings

QUEUE = "tocsin"
# For work that waits for other people's servers: one worker always leaves it to the others.
SLOW = "tocsin-slow"
JOB_TIMEOUT = 600
RESULT_TTL = 60
FAILURE_TTL = 7 * 24 * 3600
BEAT_TTL = 60

# Compare and act in one step: between a GET and a DEL of ours the lease could run out and become another's.
_RENEW = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2]) or 0"
_RELEASE = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"


def connect(settings: Settings) -> Redis:
    """A pool of connections to this instance's Redis."""
    # One immediate new try covers a server that was restarted; more would hold up requests while it is away.
    return Redis.from_url(
        redis_server.url(settings),
        socket_connect_timeout=3,
        socket_timeout=10,
        retry=Reconnect(NoBackoff(), 1),
    )


def queue(connection: Redis, name: str = QUEUE) -> Queue:
    return Queue(name, connection=connection, serializer=JSONSerializer, default_timeout=JOB_TIMEOUT)


def enqueue(to: Queue, job: str, *ids: int | str) -> Job:
    """Have a worker call the function of this dotted name with these ids, soon and at least once.

    A failed job is tried again at once, twice. What still fails is found by the sweep: it reads the database.
    """
    return to.enqueue(job, *ids, retry=Retry(max=2), result_ttl=RESULT_TTL, failure_ttl=FAILURE_TTL)


class Lease:
    """At most one holder of a name at a time. Whoever stops renewing loses it after `ttl` seconds."""

    def __init__(self, connection: Redis, name: str, ttl: float) -> None:
        self._connection = connection
        self._key = f"tocsin:lease:{name}"
        self._token = secrets.token_hex(16)
        self._milliseconds = int(ttl * 1000)

    def acquire(self) -> bool:
        return bool(self._connection.set(self._key, self._token, nx=True, px=self._milliseconds))

    def renew(self) -> bool:
        """False once the lease is lost: stop working at once."""
        return self._run(_RENEW, self._milliseconds)

    def release(self) -> bool:
        return self._run(_RELEASE)

    def _run(self, script: str, *arguments: int) -> bool:
        return bool(self._connection.eval(script, 1, self._key, self._token, *arguments))


def beat(connection: Redis, role: str) -> None:
    """Say that this process lives."""
    # The host's name keeps apart containers: all of them have the same few process ids.
    connection.set(f"tocsin:beat:{role}:{socket.gethostname()}.{os.getpid()}", 1, ex=BEAT_TTL)


def alive(connection: Redis, role: str) -> int:
    """How many processes of this role have said so within the last minute."""
    return sum(1 for _ in connection.scan_iter(match=f"tocsin:beat:{role}:*", count=1000))
