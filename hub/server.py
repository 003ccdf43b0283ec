"""The hub as a running server: gunicorn, with threads because a kiosk's push waits for the disk."""

import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy import Engine

from hub import create_app
from hub import tls as certificates
from hub.actions import readiness
from hub.config import Config, checked_secret
from hub.database import connect, serving
from hub.errors import HubRefused

THREADS = 8


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, set up from here and from nowhere else."""

    def __init__(self, config: Config, options: dict[str, Any]) -> None:
        self._config = config
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn asks for first."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """One application for each worker, made after the fork: a database connection is no good in two processes."""
        engine = connect(self._config.database_url)
        # Until the worker ends.
        self._held = ExitStack()
        self._held.enter_context(serving(engine))
        return create_app(self._config, engine)


def run(
    config: Config,
    engine: Engine,
    host: str,
    port: int,
    workers: int | None,
    started: Callable[[], None],
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serve until stopped. Raises `NotReady` or `HubRefused` when it cannot start, before anything is opened."""
    checked_secret(config)
    readiness.hub_id(engine)
    with serving(engine):
        on_sqlite = engine.dialect.name == "sqlite"
    engine.dispose()
    _check_free(host, port)
    Server(
        config,
        {
            "bind": f"{host}:{port}",
            "workers": workers or (1 if on_sqlite else 2),
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 60,
            "graceful_timeout": 10,
            "keepalive": 20,
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda _server: started(),
        }
        | ({} if tls is None else _speaking(tls, config)),
    ).run()


def _speaking(tls: ssl.SSLContext, config: Config) -> dict[str, Any]:
    # Gunicorn asks for the file's name to know that it is to speak TLS, and would read it for every connection.
    return {"certfile": str(config.tls_folder / certificates.SERVER_FILE), "ssl_context": lambda _config, _made: tls}


def _check_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HubRefused(
                f"{host}:{port} cannot be used ({error.strerror}). Stop what runs there, or choose another --port."
            ) from error
