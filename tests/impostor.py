"""Somebody who answers in the place of a hub, on a real socket, and writes down what he is told."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Impostor(ThreadingHTTPServer):
    """Says the same to everybody. `heard`: what reached him of requests, the first line and the body of each."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        self.said: tuple[int, dict[str, str], bytes] = (200, {}, b"Welcome")
        self.heard: list[tuple[str, str | None, bytes]] = []
        self._tls = tls
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.server_port}"

    def finish_request(self, request: object, client_address: object) -> None:
        """In the thread of the connection, so that somebody who does not like our certificate stops nobody else."""
        assert isinstance(request, socket.socket)
        try:
            shown = request if self._tls is None else self._tls.wrap_socket(request, server_side=True)
            super().finish_request(shown, client_address)
            if shown is not request:
                shown.close()
        except OSError:
            # They hung up.
            return


class _Handler(BaseHTTPRequestHandler):
    server: Impostor

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append((self.requestline, self.headers.get("Authorization"), body))
        status, headers, answer = self.server.said
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def impostor(tls: ssl.SSLContext | None, port: int = 0) -> Iterator[Impostor]:
    """An impostor at work, with that certificate; None: he speaks plain HTTP."""
    with Impostor(port, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
