"""The hub's own certificates: a private authority whose fingerprint kiosks are told, and a server certificate under it.

The only file that imports cryptography. Each file holds a private key and its certificate, and is replaced as a whole.
"""

import os
import re
import secrets
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.errors import HubRefused, NotReady

AUTHORITY_FILE = "ca.pem"
SERVER_FILE = "server.pem"
# A tablet that lost its battery believes in 1970: no clock decides whether it may hand over (ADR 26).
VALID_FROM = datetime(1970, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2100, 1, 1, tzinfo=UTC)

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the hub shows to kiosks. `fingerprint`: SHA-256 of the authority's certificate (DER), in hexadecimal."""

    fingerprint: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What there is now, and which of it is new."""

    certificates: Certificates
    new_authority: bool
    new_certificate: bool


@dataclass(frozen=True, slots=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def is_there(folder: Path) -> bool:
    """Whether somebody has made certificates here, be they whole or not."""
    return (folder / AUTHORITY_FILE).exists() or (folder / SERVER_FILE).exists()


def make(folder: Path, hosts: Sequence[str], *, renew: bool = False, new_authority: bool = False) -> Made:
    """Make what is missing: the authority, and a server certificate for `hosts`.

    `renew`: a new server certificate under the same authority. `new_authority`: all of it anew, and every kiosk has to
    be enrolled again. Raises `HubRefused` for a host that is neither a name nor an address, `NotReady` when what is
    there cannot be read.
    """
    names = [_general_name(host) for host in hosts]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    fresh = new_authority or not (folder / AUTHORITY_FILE).exists()
    authority = _new_authority() if fresh else _read(folder / AUTHORITY_FILE)
    if fresh:
        _write(folder / AUTHORITY_FILE, authority)
    if not (fresh or renew) and _is_under(folder / SERVER_FILE, authority):
        return Made(look(folder), new_authority=False, new_certificate=False)
    _write(folder / SERVER_FILE, _new_certificate(authority, names))
    return Made(look(folder), new_authority=fresh, new_certificate=True)


def look(folder: Path) -> Certificates:
    """What is there. Raises `NotReady` when that is nothing whole."""
    authority, server = _read(folder / AUTHORITY_FILE), _read(folder / SERVER_FILE)
    if not _is_issued(server.certificate, authority.certificate):
        raise NotReady(f"{folder / SERVER_FILE} is not of {AUTHORITY_FILE} beside it. Run `hub tls make --renew`.")
    return Certificates(sha256(_der(authority)).hexdigest(), _hosts(server.certificate))


def authority_pem(folder: Path) -> bytes | None:
    """The authority's certificate, for everybody to read; None: this hub has none of its own. Raises `NotReady`."""
    if not (folder / AUTHORITY_FILE).exists():
        return None
    return _read(folder / AUTHORITY_FILE).certificate.public_bytes(Encoding.PEM)


def server_context(folder: Path) -> ssl.SSLContext:
    """What a server speaks TLS with, 1.2 or newer. Raises `NotReady`."""
    look(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / SERVER_FILE)
    return context


def usual_hosts(url: str) -> tuple[str, ...]:
    """The names by which kiosks may reach this machine: the address in invitations, and its own names."""
    name = socket.gethostname()
    own = [name, f"{name.partition('.')[0]}.local", socket.getfqdn()]
    there = [urlsplit(url).hostname or "", "localhost", "127.0.0.1", *(each for each in own if _is_host(each))]
    return tuple(dict.fromkeys(_normal(each) for each in there))


def covers(hosts: Iterable[str], url: str) -> bool:
    """Whether a certificate for `hosts` is one for the machine in `url`."""
    return _normal(urlsplit(url).hostname or "") in hosts


def _new_authority() -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Check-in hub authority {secrets.token_hex(8)}")
    public = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = _usage(key_cert_sign=True, crl_sign=True)
    builder = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(public, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(public), critical=False)
    )
    return _Pair(key, builder.sign(key, SHA256()))


def _new_certificate(authority: _Pair, names: list[x509.GeneralName]) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(_name("Check-in hub"), authority.certificate.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )
    return _Pair(key, builder.sign(authority.key, SHA256()))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    if not _is_host(host):
        raise HubRefused(f"--host {host!r} is neither a name nor an address. Examples: hub.example.edu, 192.168.1.20")
    normal = _normal(host)
    try:
        return x509.IPAddress(ip_address(normal))
    except ValueError:
        return x509.DNSName(normal)


def _is_host(text: str) -> bool:
    try:
        normal = _normal(text)
        return _is_address(normal) or all(_LABEL.fullmatch(label) for label in normal.split("."))
    except UnicodeError:
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _normal(host: str) -> str:
    """A name in lower-case ASCII, an address in its one form. Raises `UnicodeError`."""
    plain = host.strip().removeprefix("[").removesuffix("]")
    return str(ip_address(plain)) if _is_address(plain) else plain.rstrip(".").encode("idna").decode().lower()


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in names)


def _is_issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_under(server: Path, authority: _Pair) -> bool:
    return server.exists() and _is_issued(_read(server).certificate, authority.certificate)


def _der(pair: _Pair) -> bytes:
    return pair.certificate.public_bytes(Encoding.DER)


def _read(file: Path) -> _Pair:
    try:
        pem = file.read_bytes()
        key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError, TypeError) as error:
        raise NotReady(f"{file} cannot be read ({type(error).__name__}). {_way_out(file)}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise NotReady(f"{file} holds no key and certificate that `hub tls make` has made. {_way_out(file)}")
    return _Pair(key, certificate)


def _way_out(file: Path) -> str:
    anew = "make --new-ca" if file.name == AUTHORITY_FILE else "make --renew"
    return f"Put it back from a backup, or run `hub tls {anew}`."


def _write(file: Path, pair: _Pair) -> None:
    # Renamed when it is whole: a key never lies beside another key's certificate.
    whole = file.with_suffix(".new")
    whole.unlink(missing_ok=True)
    with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        out.write(pair.certificate.public_bytes(Encoding.PEM))
        out.flush()
        os.fsync(out.fileno())
    whole.replace(file)
