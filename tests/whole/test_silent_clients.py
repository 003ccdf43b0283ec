"""Clients who begin and say nothing more hold a real hub up for a moment only; those who are slow are heard out."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from hub import tls
from hub.server import THREADS
from tests.whole.programs import Hub
from tests.whole.test_a_kiosk_trusts_its_own_hub_only import HubWithTls

pytestmark = pytest.mark.timeout(300)

SILENCE_S = 1.0
PATIENCE_S = 60
"""A hub that is held up for good fails a test, and a slow machine does not."""
LENGTH = 256 * 1024
BEGINNING = (
    b"POST /api/v1/enrolments HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % LENGTH
)


@pytest.fixture(params=[Hub, HubWithTls])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    hub: Hub = request.param(tmp_path / "hub", f"sqlite:///{tmp_path / 'hub.sqlite'}")
    password = tmp_path / "password.txt"
    password.write_text("correct horse battery staple")
    who = ("--admin", "ada@northfield.edu", "--password-file", str(password))
    hub.ask("init", "--institution", "Northfield", "--domain", "northfield.edu", *who)
    if isinstance(hub, HubWithTls):
        hub.ask("tls", "make", "--host", "127.0.0.1")
    try:
        yield hub.serve("--silence", str(SILENCE_S))
    finally:
        hub.kill()


def connected(hub: Hub) -> socket.socket:
    return socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S)


def spoken_to(hub: Hub) -> socket.socket:
    """A client that can begin to speak: TLS is there already, if the hub wants it."""
    raw = connected(hub)
    if not isinstance(hub, HubWithTls):
        return raw
    trusting = ssl.create_default_context(cadata=(tls.authority_pem(hub.tls_folder) or b"").decode())
    return trusting.wrap_socket(raw, server_hostname="127.0.0.1")


def is_ready(hub: Hub) -> bool:
    authority = hub.folder / "authority.pem"
    if isinstance(hub, HubWithTls):
        authority.write_bytes(tls.authority_pem(hub.tls_folder) or b"")
    with requests.Session() as client:
        client.trust_env = False
        answer = client.get(f"{hub.url}/readyz", timeout=PATIENCE_S, verify=str(authority))
        return answer.status_code == 200


def test_clients_who_begin_a_request_and_fall_silent_do_not_keep_others_out(hub: Hub) -> None:
    with ExitStack() as held:
        for _ in range(THREADS):
            silent = held.enter_context(spoken_to(hub))
            silent.sendall(BEGINNING + b"{")
        assert is_ready(hub)


def test_clients_who_connect_and_send_half_a_greeting_do_not_keep_others_out(hub: Hub) -> None:
    with ExitStack() as held:
        for _ in range(THREADS):
            held.enter_context(connected(hub)).sendall(b"\x16\x03" if isinstance(hub, HubWithTls) else b"POST /")
        assert is_ready(hub)
    assert "Traceback" not in (hub.folder / "serve.log").read_text()


def test_somebody_slow_who_goes_on_is_heard_out(hub: Hub) -> None:
    body = b'{"code":"nobody has this","app":"test"}'.ljust(LENGTH)
    with spoken_to(hub) as slow:
        slow.sendall(BEGINNING)
        slow.settimeout(SILENCE_S / 3)
        # Together several times as long as a silent client is waited for.
        for start in range(0, LENGTH, LENGTH // 8):
            with pytest.raises(TimeoutError):
                slow.recv(1)
            slow.sendall(body[start : start + LENGTH // 8])
        slow.settimeout(PATIENCE_S)
        assert slow.recv(1_000).startswith(b"HTTP/1.1 403 ")
