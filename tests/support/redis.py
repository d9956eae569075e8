"""The embedded Redis, started as `make run` starts it, on a unix socket in a temporary directory."""

import shutil
import subprocess
import time
from pathlib import Path

from redis import Redis, RedisError

from app import redis_server


class Server:
    """Runs as soon as it is made."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.client = Redis(unix_socket_path=str(redis_server.socket_path(data_dir)))
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(redis_server.command(self.data_dir), stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.client.ping()
                return
            except RedisError:
                assert self.process.poll() is None, redis_server.last_words(self.data_dir)
                time.sleep(0.02)
        raise AssertionError("Redis did not start within four seconds")

    def empty(self) -> None:
        self.client.flushall()

    def stop(self) -> None:
        """As a power cut would: what was acknowledged is on disk."""
        self.process.kill()
        self.process.wait()
        self.client.connection_pool.disconnect()
        redis_server.socket_path(self.data_dir).unlink(missing_ok=True)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.data_dir / "redis", ignore_errors=True)
