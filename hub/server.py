"""The hub as a running server: gunicorn, with threads because a kiosk's push waits for the disk.

Gunicorn's threads wait for a client as long as it takes; ours wait for `SILENCE_S`, or a few who say nothing more keep
everybody out.
"""

import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import TConn, ThreadWorker
from sqlalchemy import Engine

from hub import create_app
from hub import tls as certificates
from hub.actions import exports, readiness
from hub.actions.imports import jobs
from hub.config import Config, checked_secret
from hub.database import clear_rehearsals, connect, serving
from hub.errors import HubRefused

THREADS = 8
SILENCE_S = 20.0
"""How long a client may keep a thread waiting for its next bytes, or for room to answer it."""
_BLOCK = 16 * 1024

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Impatient(_Socket):
    """A socket that, where it is told to wait for ever, waits for so long and then raises `TimeoutError`."""

    silence_s: ClassVar[float] = SILENCE_S

    def setblocking(self, flag: bool, /) -> None:
        """For ever is not said here."""
        self.settimeout(self.silence_s if flag else 0)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """In blocks, because a timeout is for the whole of what is sent at once, and networks may be slow."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _BLOCK):
            super().sendall(view[start : start + _BLOCK], flags)


class _PlainSocket(_Impatient, socket.socket):
    pass


class _TlsSocket(_Impatient, ssl.SSLSocket):
    pass


def _is_no_silence(record: logging.LogRecord) -> bool:
    # Anybody can fall silent, as often as they like: that is no error of ours, and would fill the log.
    return not (record.exc_info and isinstance(record.exc_info[1], TimeoutError))


class Worker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads, whose clients have to go on."""

    def init_process(self) -> None:
        """Serve until stopped."""
        self.log.error_log.addFilter(_is_no_silence)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Whoever comes is given to a thread; a new one becomes impatient before it is read from, or TLS begins."""
        if not isinstance(conn.sock, _Impatient):
            # Who has gone already is found out by the thread; an error here would end the worker.
            with suppress(OSError):
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            conn.sock = _PlainSocket(fileno=conn.sock.detach())
        super().enqueue_req(conn)


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
    silence_s: float = SILENCE_S,
) -> None:
    """Serve until stopped. Raises `NotReady` or `HubRefused` when it cannot start, before anything is opened."""
    checked_secret(config)
    readiness.hub_id(engine)
    with serving(engine):
        on_sqlite = engine.dialect.name == "sqlite"
        jobs.tidy_all(engine, config.imports_folder, datetime.now(UTC))
        clear_rehearsals(engine)
        exports.clear_scratch(config.data_dir)
    engine.dispose()
    _check_free(host, port)
    _Impatient.silence_s = silence_s
    Server(
        config,
        {
            "bind": f"{host}:{port}",
            "workers": workers or (1 if on_sqlite else 2),
            "worker_class": Worker,
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
    tls.sslsocket_class = _TlsSocket
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
