"""The hub's own certificates: made once, good for any clock, and told to kiosks."""

import ssl
import stat
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub import tls
from hub.actions import readiness
from hub.config import Config, read
from hub.errors import HubRefused, NotReady
from tests.hub.command import Command

HOSTS = ("hub.example.edu", "192.168.1.20")


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tls.make(tmp_path / "tls", HOSTS)
    return tmp_path / "tls"


@pytest.mark.parametrize("year", [1970, 1999, 2026, 2038, 2099])
@pytest.mark.parametrize("host", HOSTS)
def test_a_clock_that_is_decades_off_is_no_reason_to_distrust_the_hub(folder: Path, host: str, year: int) -> None:
    authority, server = certificate(folder / "ca.pem"), certificate(folder / "server.pem")
    subject = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    policy = PolicyBuilder().store(Store([authority])).time(datetime(year, 1, 2, tzinfo=UTC))
    assert len(policy.build_server_verifier(subject).verify(server, [])) == 2


def test_the_authority_vouches_for_servers_only_and_the_server_for_nobody(folder: Path) -> None:
    authority, server = (certificate(folder / name).extensions for name in ("ca.pem", "server.pem"))
    basic = [each.get_extension_for_class(x509.BasicConstraints) for each in (authority, server)]
    assert [(each.critical, each.value.ca, each.value.path_length) for each in basic] == [
        (True, True, 0),
        (True, False, None),
    ]
    usage = server.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_nobody_else_on_the_machine_reads_the_keys(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_a_half_made_folder_is_completed(folder: Path) -> None:
    before = tls.look(folder)
    (folder / "server.pem").unlink()
    with pytest.raises(NotReady, match=r"hub tls make --renew"):
        tls.server_context(folder)
    made = tls.make(folder, HOSTS)
    assert (made.new_authority, made.new_certificate, made.certificates) == (False, True, before)


def test_a_certificate_of_an_authority_that_was_replaced_is_replaced_as_well(folder: Path, tmp_path: Path) -> None:
    """As a cut between the two files would leave it."""
    tls.make(tmp_path / "another", HOSTS)
    (tmp_path / "another" / "ca.pem").replace(folder / "ca.pem")
    with pytest.raises(NotReady, match=r"hub tls make --renew"):
        tls.look(folder)
    assert tls.make(folder, HOSTS).new_certificate
    assert tls.look(folder).hosts == HOSTS


@pytest.mark.parametrize("name", ["ca.pem", "server.pem"])
@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_that_cannot_be_read_is_named_with_the_way_out(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(NotReady, match=rf"{name} cannot be read .*hub tls make --"):
        tls.server_context(folder)
    tls.make(folder, HOSTS, renew=name == "server.pem", new_authority=name == "ca.pem")
    assert isinstance(tls.server_context(folder), ssl.SSLContext)


def test_a_key_beside_another_keys_certificate_is_refused(folder: Path, tmp_path: Path) -> None:
    tls.make(tmp_path / "another", HOSTS)
    ours, another = (
        (each / "ca.pem").read_bytes().split(b"-----BEGIN CERT") for each in (folder, tmp_path / "another")
    )
    (folder / "ca.pem").write_bytes(ours[0] + b"-----BEGIN CERT" + another[1])
    with pytest.raises(NotReady, match="holds no key and certificate"):
        tls.look(folder)


@pytest.mark.parametrize(
    "host", ["", "hub example", "*.example.edu", "https://hub.example.edu", "-a.b", "a..b", "1.2.3.4/8"]
)
def test_what_is_no_host_is_refused_and_nothing_is_made(tmp_path: Path, host: str) -> None:
    with pytest.raises(HubRefused, match="--host"):
        tls.make(tmp_path / "tls", [host])
    assert not (tmp_path / "tls").exists()


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("Hub.Example.edu.", "hub.example.edu"),
        ("école.edu", "xn--cole-9oa.edu"),
        ("[::1]", "::1"),
        (" 10.0.0.1 ", "10.0.0.1"),
    ],
)
def test_hosts_are_kept_in_one_form(tmp_path: Path, host: str, kept: str) -> None:
    assert tls.make(tmp_path / "tls", [host]).certificates.hosts == (kept,)
    assert tls.covers([kept], f"https://{host.strip().rstrip('.')}:8000/hub")


def test_the_usual_hosts_are_the_one_in_invitations_and_this_machine() -> None:
    usual = tls.usual_hosts("https://Hub.example.edu:8443/x")
    assert usual[:3] == ("hub.example.edu", "localhost", "127.0.0.1")


# --- commands ------------------------------------------------------------------------------------


@pytest.fixture
def at_home(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("HUB_URL", "https://hub.example.edu")
    return command


def test_making_certificates_again_changes_nothing_and_says_so(at_home: Command) -> None:
    first = at_home.ask("tls", "make")
    assert (first["new_ca"], first["new_certificate"]) == (True, True)
    assert "hub.example.edu" in first["hosts"]
    again = at_home.ask("tls", "make", "--host", "other.example.edu")
    assert again == first | {"new_ca": False, "new_certificate": False}
    assert "nothing changed" in at_home.run("tls", "make").stderr
    assert at_home.ask("tls", "show") == {"fingerprint": first["fingerprint"], "hosts": first["hosts"]}


def test_a_renewed_certificate_is_of_the_same_authority(at_home: Command) -> None:
    first = at_home.ask("tls", "make")
    renewed = at_home.ask("tls", "make", "--renew", "--host", "hub.example.org")
    assert (renewed["fingerprint"], renewed["hosts"]) == (first["fingerprint"], ["hub.example.org"])
    assert "kiosks go on" in at_home.run("tls", "make", "--renew").stderr


def test_another_authority_is_made_only_by_somebody_who_means_it(at_home: Command) -> None:
    first = at_home.ask("tls", "make")["fingerprint"]
    doubtful = at_home.run("tls", "make", "--new-ca", typed="n\n")
    assert doubtful.exit_code == 1
    assert "Every kiosk of this hub has to be enrolled again" in doubtful.stderr
    assert at_home.ask("tls", "show")["fingerprint"] == first
    assert at_home.ask("tls", "make", "--new-ca", "--yes")["fingerprint"] != first


def test_without_certificates_there_is_nothing_to_show(at_home: Command) -> None:
    shown = at_home.run("tls", "show")
    assert (shown.exit_code, "hub tls make" in shown.stderr) == (1, True)


def test_a_host_that_is_none_is_named(at_home: Command) -> None:
    made = at_home.run("tls", "make", "--host", "hub example")
    assert (made.exit_code, "'hub example'" in made.stderr) == (1, True)


def test_an_invitation_names_what_to_trust(at_home: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_home.ask("kiosks", "invite")["ca"] is None
    assert "--ca" not in at_home.run("kiosks", "invite").stderr
    fingerprint = at_home.ask("tls", "make")["fingerprint"]
    assert at_home.ask("kiosks", "invite")["ca"] == fingerprint
    assert f" --ca {fingerprint}\n" in at_home.run("kiosks", "invite").stderr
    monkeypatch.setenv("HUB_URL", "http://hub.example.edu")
    assert at_home.ask("kiosks", "invite")["ca"] is None


def test_without_a_setting_the_address_is_https_once_there_are_certificates(tmp_path: Path) -> None:
    environment = {"HUB_DATA_DIR": str(tmp_path)}
    assert read(environment).url == "http://127.0.0.1:8000"
    tls.make(read(environment).tls_folder, HOSTS)
    assert read(environment).url == "https://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("url", "well"),
    [("https://hub.example.edu", True), ("http://hub.example.edu", False), ("https://hub.example.org", False)],
)
def test_the_doctor_sees_an_address_that_the_certificates_are_not_for(
    command: Command, monkeypatch: pytest.MonkeyPatch, url: str, well: bool
) -> None:
    def check() -> dict[str, object]:
        checks = msgspec.json.decode(command.run("doctor", "--json").stdout)["checks"]
        return next(each for each in checks if each["name"] == "certificates")

    monkeypatch.setenv("HUB_URL", url)
    assert check()["ok"]
    command.ask("tls", "make", "--host", "hub.example.edu")
    assert (check()["ok"], bool(check()["way_out"])) == (well, not well)


def test_the_doctor_names_certificates_that_are_not_whole(engine: Engine, config: Config, now: datetime) -> None:
    tls.make(config.tls_folder, HOSTS)
    (config.tls_folder / "server.pem").write_bytes(b"")
    check = next(each for each in readiness.examine(engine, config, now) if each.name == "certificates")
    assert (check.ok, "server.pem" in check.way_out) == (False, True)


# --- over the API --------------------------------------------------------------------------------


def test_everybody_may_read_the_authority_and_nobody_its_key(client: FlaskClient, config: Config) -> None:
    none = client.get("/api/v1/ca.pem")
    assert (none.status_code, none.mimetype) == (404, "application/problem+json")
    fingerprint = tls.make(config.tls_folder, HOSTS).certificates.fingerprint
    shown = client.get("/api/v1/ca.pem")
    assert shown.status_code == 200
    assert b"PRIVATE" not in shown.data
    assert x509.load_pem_x509_certificate(shown.data).fingerprint(SHA256()).hex() == fingerprint


def test_an_authority_that_cannot_be_read_is_for_later(client: FlaskClient, config: Config) -> None:
    tls.make(config.tls_folder, HOSTS)
    (config.tls_folder / "ca.pem").write_bytes(b"")
    assert client.get("/api/v1/ca.pem").status_code == 503
