"""The web server: granian in front of `wsgi:app`, with as many processes and threads as the settings say."""

import multiprocessing
import os
from collections.abc import Callable
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from app import logs
from app.settings import Settings
from app.supervisor import die_with

# Connections that wait to be accepted while all threads are busy; the kernel cuts it to net.core.somaxconn.
BACKLOG = 2048
LAST_REQUEST_SECONDS = 5


def serve(settings: Settings, application: Callable[..., Any]) -> None:
    """Answer requests until SIGTERM. The processes are forked here and share what is loaded."""
    server = Server(
        "wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=LAST_REQUEST_SECONDS,
        log_level=LogLevels.error,  # it warns of more threads than it thinks the cores are good for
        log_dictconfig={"formatters": {}, "handlers": {}, "loggers": {}},
    )
    # Forked processes share the application; what newer Pythons do by default loads it once more in each.
    multiprocessing.set_start_method("fork", force=True)
    parent = os.getpid()

    def load() -> Callable[..., Any]:
        die_with(parent)
        return application

    server.serve(target_loader=load, wrap_loader=False)


def main(app: Flask, application: Callable[..., Any]) -> None:
    """The web server alone, beside workers that run elsewhere."""
    settings = app.config["SETTINGS"]
    logs.configure(settings)
    serve(settings, application)
