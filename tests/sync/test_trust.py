"""Who is taken for the hub by a kiosk that was told of the hub's own authority: the hub, and nobody else."""

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import certifi
import pytest
import trustme

from hub import tls
from sync.errors import CheckinError, HubNotTrusted, HubUnreachable, NotOurHub, OtherAuthority, Unreadable
from sync.hub_client import HubClient, enrol, fetch_authority, read_fingerprint
from sync.messages import Enrolled, encode
from tests.impostor import Impostor, impostor
from tests.sync.fakes import EPOCH, HUB_ID, STREAM
from tests.sync.test_hub_client import ANSWER, APP, PUSH

HERE = "127.0.0.1"
ENROLLED = Enrolled(kiosk_id=STREAM, token="t", hub_id=HUB_ID, hub_key=bytes(32), institution="School of Examples")

Serve = Callable[[ssl.SSLContext], AbstractContextManager[Impostor]]


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", HERE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of the hub."""
    folder = tmp_path_factory.mktemp("hub") / "tls"
    tls.make(folder, [HERE, "localhost"])
    return folder


@pytest.fixture(scope="module")
def authority(folder: Path) -> bytes:
    pem = tls.authority_pem(folder)
    assert pem is not None
    return ssl.PEM_cert_to_DER_cert(pem.decode())


@pytest.fixture(scope="module")
def fingerprint(folder: Path) -> bytes:
    return read_fingerprint(tls.look(folder).fingerprint)


@pytest.fixture(scope="module")
def public() -> trustme.CA:
    """An authority that everybody trusts."""
    return trustme.CA()


def shown_by(public: trustme.CA, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    public.issue_cert(*names, not_after=not_after).configure_cert(context)
    return context


def asked(url: str, authority: bytes | None) -> None:
    with HubClient(url, HUB_ID, "bo-s-token", APP, authority=authority) as hub:
        assert hub.push(STREAM, PUSH) == ANSWER


def test_the_hub_itself_is_spoken_to(folder: Path, authority: bytes) -> None:
    with impostor(tls.server_context(folder)) as server:
        server.said = (200, {}, encode(ANSWER))
        asked(server.url, authority)
        asked(server.url.replace(HERE, "localhost"), authority)
        assert [told[1] for told in server.heard] == ["Bearer bo-s-token"] * 2


def another_hubs(tmp_path: Path) -> ssl.SSLContext:
    tls.make(tmp_path / "another", [HERE])
    return tls.server_context(tmp_path / "another")


def ours_for_elsewhere(folder: Path, tmp_path: Path) -> ssl.SSLContext:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / tls.AUTHORITY_FILE).write_bytes((folder / tls.AUTHORITY_FILE).read_bytes())
    tls.make(tmp_path / "ours", ["elsewhere.example", "127.0.0.2"])
    return tls.server_context(tmp_path / "ours")


@pytest.mark.parametrize("who", ["an authority that everybody trusts", "another hub", "our hub elsewhere", "expired"])
def test_nobody_else_is_told_anything_however_well_vouched_for(
    who: str, folder: Path, authority: bytes, public: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(public.cert_pem.bytes())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(bundle))
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    context = {
        "an authority that everybody trusts": partial(shown_by, public, HERE),
        "another hub": partial(another_hubs, tmp_path),
        "our hub elsewhere": partial(ours_for_elsewhere, folder, tmp_path),
        "expired": partial(shown_by, public, HERE, not_after=datetime(2020, 1, 1, tzinfo=UTC)),
    }[who]()
    with impostor(context) as server:
        server.said = (200, {}, encode(ANSWER))
        with pytest.raises(HubNotTrusted):
            asked(server.url, authority)
        with pytest.raises(HubNotTrusted):
            enrol(server.url, "a-code", APP, authority)
        assert server.heard == []


def test_without_an_authority_of_its_own_a_hub_is_whom_everybody_trusts(
    public: trustme.CA, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(public.cert_pem.bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with impostor(shown_by(public, HERE)) as server:
        server.said = (200, {}, encode(ANSWER))
        asked(server.url, None)
    with impostor(tls.server_context(folder)) as server, pytest.raises(HubNotTrusted):
        asked(server.url, None)


def test_a_bundle_that_is_not_there_is_no_reason_to_fall_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    with impostor(tls.server_context(folder)) as server, pytest.raises(HubUnreachable):
        asked(server.url, None)


def test_whoever_speaks_no_tls_is_told_nothing(authority: bytes) -> None:
    with impostor(None) as server:
        server.said = (200, {}, encode(ANSWER))
        with pytest.raises(HubUnreachable):
            asked(server.url.replace("http:", "https:"), authority)
        with pytest.raises(HubUnreachable):
            asked(server.url, authority)
        assert server.heard == []


def test_a_way_back_to_plain_http_is_not_taken(folder: Path, authority: bytes) -> None:
    with impostor(tls.server_context(folder)) as hub, impostor(None) as plain:
        hub.said = (307, {"Location": plain.url + "/api/v1/feed"}, b"")
        with HubClient(hub.url, HUB_ID, "t", APP, authority=authority) as client, pytest.raises(NotOurHub):
            client.pull(EPOCH, 3)
        assert len(hub.heard) == 1
        assert plain.heard == []


# --- enrolment -----------------------------------------------------------------------------------


def test_the_authority_is_fetched_from_whoever_has_it_because_its_fingerprint_is_known(
    folder: Path, authority: bytes, fingerprint: bytes, public: trustme.CA
) -> None:
    with impostor(shown_by(public, "somebody.example")) as between:
        between.said = (200, {}, tls.authority_pem(folder) or b"")
        assert fetch_authority(between.url, fingerprint, APP) == authority
        assert between.heard == [("GET /api/v1/ca.pem HTTP/1.1", None, b"")]
        # He hands on what everybody may know, and hears no code for it.
        with pytest.raises(HubNotTrusted):
            enrol(between.url, "a-code", APP, authority)
        assert len(between.heard) == 1


def test_a_code_is_exchanged_with_the_hub_itself(folder: Path, authority: bytes) -> None:
    with impostor(tls.server_context(folder)) as server:
        server.said = (201, {}, encode(ENROLLED))
        assert enrol(server.url, "a-code", APP, authority) == ENROLLED


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((200, {}, None), id="another authority"),
        pytest.param((200, {}, b"Welcome to our Wi-Fi"), id="a page"),
        pytest.param((200, {}, b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), id="garbage"),
        pytest.param((200, {}, "-----BEGIN CERTIFICATE-----é".encode()), id="no ASCII"),
        pytest.param((302, {"Location": "http://127.0.0.1:9/"}, b""), id="a redirect"),
        pytest.param((404, {}, b"{}"), id="none"),
    ],
)
def test_another_authority_than_the_one_named_is_refused(
    said: tuple[int, dict[str, str], bytes | None], folder: Path, fingerprint: bytes, public: trustme.CA
) -> None:
    status, headers, body = said
    with impostor(tls.server_context(folder)) as server:
        server.said = (status, headers, public.cert_pem.bytes() if body is None else body)
        with pytest.raises(OtherAuthority):
            fetch_authority(server.url, fingerprint, APP)


def test_a_certificate_beside_the_right_one_is_not_trusted_with_it(
    folder: Path, authority: bytes, fingerprint: bytes, public: trustme.CA
) -> None:
    ours, another = tls.authority_pem(folder) or b"", public.cert_pem.bytes()
    with impostor(tls.server_context(folder)) as server:
        server.said = (200, {}, ours + another)
        assert fetch_authority(server.url, fingerprint, APP) == authority
        server.said = (200, {}, another + ours)
        with pytest.raises(OtherAuthority):
            fetch_authority(server.url, fingerprint, APP)


def test_a_fingerprint_is_read_as_people_copy_it() -> None:
    digest = bytes(range(32))
    assert read_fingerprint(digest.hex()) == digest
    assert read_fingerprint(" " + digest.hex(":").upper() + "\n") == digest


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "00" * 33, "é" * 64])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_fingerprint(text)
    assert refused.value.reason == "not_a_fingerprint"


def test_an_authority_needs_https(fingerprint: bytes) -> None:
    with pytest.raises(CheckinError) as refused:
        fetch_authority("http://hub.example", fingerprint, APP)
    assert isinstance(refused.value, Unreadable)
    assert refused.value.reason == "not_https"
