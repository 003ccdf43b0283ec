"""TLS between the real programs: a hub with certificates of its own, its kiosk, and whoever else is on the network."""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from hub import tls
from tests.impostor import impostor
from tests.whole.programs import Failed, Hub, Kiosk, eventually


class HubWithTls(Hub):
    """A hub that serves over TLS, under an authority of its own."""

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    @property
    def tls_folder(self) -> Path:
        return self.folder / "tls"

    def _ready(self) -> bool:
        trusting = ssl.create_default_context(cadata=(tls.authority_pem(self.tls_folder) or b"").decode())
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=trusting)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWithTls]:
    folder = tmp_path_factory.mktemp("office")
    password = folder / "password.txt"
    password.write_text("correct horse battery staple")
    hub = HubWithTls(folder / "hub", f"sqlite:///{folder / 'hub.sqlite'}")
    with ExitStack() as ended:
        ended.callback(hub.kill)
        who = ("--admin", "ada@northfield.edu", "--password-file", str(password))
        hub.ask("init", "--institution", "Northfield", "--domain", "northfield.edu", *who)
        hub.ask("tls", "make", "--host", "127.0.0.1")
        yield hub.serve()


@pytest.fixture
def kiosk(hub: HubWithTls, tmp_path: Path) -> Kiosk:
    """A kiosk of that hub."""
    hub.serve()
    kiosk = Kiosk(tmp_path / "kiosk")
    invited = hub.ask("kiosks", "invite")
    kiosk.ask("enrol", invited["url"], invited["code"], "--ca", invited["ca"])
    return kiosk


def test_kiosk_and_hub_exchange_over_tls_after_a_renewal_too(hub: HubWithTls, kiosk: Kiosk) -> None:
    assert kiosk.post()["problem"] is None
    hub.ask("tls", "make", "--renew", "--host", "127.0.0.1")
    hub.stop()
    hub.serve()
    assert kiosk.post()["problem"] is None


def test_somebody_else_in_its_place_is_named_and_told_nothing(
    hub: HubWithTls, kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = trustme.CA()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(public.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    public.issue_cert("127.0.0.1").configure_cert(context)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(bundle))
    hub.stop()
    with impostor(context, hub.port) as somebody:
        told = kiosk.post()
        assert (told["problem"], told["waiting"]) == ("hub_not_trusted", 0)
        assert kiosk.status()["problem"] == "hub_not_trusted"
        assert somebody.heard == []
    hub.serve()
    assert kiosk.post()["problem"] is None


def test_a_fingerprint_of_somebody_else_is_refused_and_the_code_stays_good(hub: HubWithTls, tmp_path: Path) -> None:
    hub.serve()
    kiosk = Kiosk(tmp_path / "kiosk")
    invited = hub.ask("kiosks", "invite")
    for words in (
        (invited["url"], invited["code"], "--ca", "0" * 64),
        (invited["url"], invited["code"]),
        (invited["url"].replace("127.0.0.1", "localhost"), invited["code"], "--ca", invited["ca"]),
    ):
        with pytest.raises(Failed) as refused:
            kiosk.ask("enrol", *words)
        assert refused.value.status == 1
        assert "other_authority" in str(refused.value) or "hub_not_trusted" in str(refused.value)
    assert kiosk.ask("enrol", invited["url"], invited["code"], "--ca", invited["ca"])["kiosk_id"]


def test_a_hub_with_a_new_authority_gets_its_kiosk_back_by_enrolling_it_again(hub: HubWithTls, kiosk: Kiosk) -> None:
    hub.ask("tls", "make", "--new-ca", "--yes", "--host", "127.0.0.1")
    hub.stop()
    hub.serve()
    assert kiosk.post()["problem"] == "hub_not_trusted"
    invited = hub.ask("kiosks", "invite")
    kiosk.ask("enrol", invited["url"], invited["code"], "--ca", invited["ca"])
    assert kiosk.post()["problem"] is None


def test_without_tls_on_request_the_hub_speaks_plainly(hub: HubWithTls) -> None:
    """Something in front of it has TLS then."""
    hub.stop()
    plain = hub.start("serve", "--no-tls", "--port", str(hub.port))
    try:
        eventually(lambda: not plain.runs or Hub._ready(hub), "the hub to be ready")
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=5)
        connection.request("GET", "/api/v1/openapi.json")
        assert json.loads(connection.getresponse().read())["openapi"]
        connection.close()
    finally:
        plain.terminate()
