"""The hub over HTTP. The only file that imports requests.

An answer counts only when it is JSON of the expected shape that names the hub this kiosk enrolled with; everything
else that can come back from a network (a captive portal's page, a redirect, a proxy's 404) is `NotOurHub`, and no
answer at all is `HubUnreachable`: nobody said no, so the same bytes are sent again later. A kiosk that was told of the
hub's own certificate authority trusts that one and no other, whatever certifi or the environment hold.
"""

import gzip
import ssl
import warnings
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InsecureRequestWarning

from sync.errors import (
    CheckinError,
    CodeRefused,
    DeviceRevoked,
    DeviceUnknown,
    ForeignStream,
    Fork,
    Gap,
    HubBusy,
    HubNotTrusted,
    HubUnreachable,
    NotOurHub,
    OtherAuthority,
    ProtocolTooOld,
    Refused,
    TooLarge,
    Unreadable,
)
from sync.messages import (
    HUB_HEADER,
    Bucket,
    Digests,
    Enrolled,
    Enrolment,
    FeedPage,
    Problem,
    Push,
    PushAnswer,
    encode,
    read_bucket,
    read_page,
)

TIMEOUT_S = (3.05, 15.0)
"""Seconds to connect, and between two bytes of an answer."""
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Bytes of an answer after decompression; no honest hub sends more."""

_ENROLLED = msgspec.json.Decoder(Enrolled)
_PUSH_ANSWER = msgspec.json.Decoder(PushAnswer)
_T = TypeVar("_T")
_Ours = TypeVar("_Ours", Digests, Bucket)


def base_url(text: str) -> str:
    """The hub's address in one form. Raises `Unreadable("not_a_url")` unless it is http(s) with a host."""
    try:
        parts = urlsplit(text.strip())
        honest = parts.hostname and parts.port != 0
    except ValueError as error:
        raise Unreadable("not_a_url") from error
    if (
        parts.scheme not in ("http", "https")
        or not honest
        or any(char in "@\\" or char.isspace() for char in parts.netloc)
        or parts.query
        or parts.fragment
    ):
        raise Unreadable("not_a_url")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def read_fingerprint(text: str) -> bytes:
    """The SHA-256 of a certificate, as people copy it. Raises `Unreadable("not_a_fingerprint")`."""
    try:
        digest = bytes.fromhex(text.replace(":", ""))
    except ValueError as error:
        raise Unreadable("not_a_fingerprint") from error
    if len(digest) != sha256().digest_size:
        raise Unreadable("not_a_fingerprint")
    return digest


def fetch_authority(url: str, fingerprint: bytes, app: str) -> bytes:
    """The certificate (DER) of the hub's own authority, from the hub itself: its fingerprint is what makes it the right
    one, so nothing secret is sent and nobody has to be trusted.

    Raises `Unreadable("not_https")`, `OtherAuthority` when it has another fingerprint or the hub has none,
    `HubUnreachable` when nobody answers.
    """
    address = base_url(url)
    if not address.startswith("https:"):
        raise Unreadable("not_https")
    with (
        _session(_trusting_anybody()) as http,
        warnings.catch_warnings(action="ignore", category=InsecureRequestWarning),
    ):
        answer = _send(http, "GET", f"{address}/api/v1/ca.pem", headers={"User-Agent": app})
    if answer.status in (429, 503):
        raise _refusal(answer, None)
    try:
        pem, end, _ = answer.body.decode("ascii").partition(ssl.PEM_FOOTER)
        certificate = ssl.PEM_cert_to_DER_cert(pem + end)
    except ValueError as error:
        raise OtherAuthority(f"status {answer.status} without a certificate") from error
    if sha256(certificate).digest() != fingerprint:
        raise OtherAuthority(sha256(certificate).hexdigest())
    return certificate


def enrol(url: str, code: str, app: str, authority: bytes | None = None) -> Enrolled:
    """Exchange a one-time code for this kiosk's standing. `authority`: the only one to trust (DER).

    Raises `CodeRefused` when the code is wrong, used or too old, `NotOurHub` when no hub answers there,
    `HubNotTrusted` when whoever answers cannot prove to be the hub, `HubUnreachable` when nobody does.
    """
    with _session(_trusting(authority)) as http:
        answer = _send(
            http,
            "POST",
            f"{base_url(url)}/api/v1/enrolments",
            data=encode(Enrolment(code=code.strip(), app=app)),
            headers={"Content-Type": "application/json", "User-Agent": app},
        )
        if answer.status == 201:
            return _read(answer, _ENROLLED.decode)
        raise _refusal(answer, None)


class HubClient:
    """The hub this kiosk enrolled with. Use as a context manager: it keeps one connection open.

    `timeout`: seconds to connect, and between two bytes of an answer. `authority`: the only one to trust (DER); None:
    those that everybody trusts.
    """

    def __init__(
        self,
        url: str,
        hub_id: UUID,
        token: str,
        app: str,
        timeout: tuple[float, float] = TIMEOUT_S,
        authority: bytes | None = None,
    ) -> None:
        self._url = base_url(url)
        self._hub_id = hub_id
        self._timeout = timeout
        self._http = _session(_trusting(authority))
        self._http.headers.update({"User-Agent": app, "Accept": "application/json"})

        def bearer(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

        # As `auth`, not as a header: requests lets a ~/.netrc replace a header.
        self._http.auth = bearer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        """Hand over facts. Raises from `sync.errors` for every answer but a processed push."""
        answer = _send(
            self._http,
            "POST",
            f"{self._url}/api/v1/streams/{stream_id}/facts",
            data=gzip.compress(encode(push), compresslevel=1, mtime=0),
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
            timeout=self._timeout,
        )
        if answer.status != 200:
            raise _refusal(answer, self._hub_id)
        processed = _read(answer, _PUSH_ANSWER.decode)
        self._check_ours(processed.hub_id)
        return processed

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None = None) -> FeedPage | None:
        """The next page after a position, or None when there is nothing new. Raises from `sync.errors`."""
        answer = _send(
            self._http,
            "GET",
            f"{self._url}/api/v1/feed",
            params={
                "epoch": str(epoch) if epoch else "",
                "after": str(after),
                "mark": str(mark) if mark else "",
            },
            timeout=self._timeout,
        )
        if answer.status == 304 and answer.hub == str(self._hub_id):
            return None
        if answer.status != 200:
            raise _refusal(answer, self._hub_id)
        page = _read(answer, read_page)
        self._check_ours(page.hub_id)
        return page

    def digests(self) -> Digests:
        """What the hub's roster is made of. Raises from `sync.errors`."""
        return self._get("feed/digests", msgspec.json.Decoder(Digests).decode)

    def bucket(self, number: int) -> Bucket:
        """Everything in one bucket of the hub's roster. Raises from `sync.errors`."""
        return self._get(f"feed/buckets/{number}", read_bucket)

    def _get(self, path: str, reader: Callable[[bytes], _Ours]) -> _Ours:
        answer = _send(self._http, "GET", f"{self._url}/api/v1/{path}", timeout=self._timeout)
        if answer.status != 200:
            raise _refusal(answer, self._hub_id)
        said = _read(answer, reader)
        self._check_ours(said.hub_id)
        return said

    def _check_ours(self, hub_id: UUID) -> None:
        if hub_id != self._hub_id:
            raise NotOurHub("another hub answers at this address")


class _SpeaksTls(HTTPAdapter):
    """Connections by one context and nothing else: requests would add certifi to it, or what the environment names."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Where to, and by which context."""
        where, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return where, {"ssl_context": self._context, "cert_reqs": self._context.verify_mode}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves to the context whom to trust."""


def _session(context: ssl.SSLContext | None) -> requests.Session:
    http = requests.Session()
    if context is not None:
        # Not even by accident does a kiosk that has an authority speak plain HTTP.
        http.adapters.clear()
        http.mount("https://", _SpeaksTls(context))
    return http


def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(authority: bytes | None) -> ssl.SSLContext | None:
    if authority is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=authority)
    return context


class _Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    hub: str | None
    retry_after: str | None


def _send(
    http: requests.Session,
    method: str,
    url: str,
    *,
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    timeout: tuple[float, float] = TIMEOUT_S,
) -> _Answer:
    try:
        with http.request(
            method,
            url,
            data=data,
            headers=headers,
            params=params,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            return _Answer(
                status=response.status_code,
                body=_read_bounded(response),
                hub=response.headers.get(HUB_HEADER),
                retry_after=response.headers.get("Retry-After"),
            )
    except OSError as error:
        # All that requests raises, and what it does not catch: a bundle of certificates that is not there.
        untrusted = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
        if untrusted is not None:
            raise HubNotTrusted(untrusted.verify_message) from error
        raise HubUnreachable(type(error).__name__) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _read_bounded(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise NotOurHub("the answer is too long")
    return bytes(body)


def _read(answer: _Answer, reader: Callable[[bytes], _T]) -> _T:
    try:
        return reader(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotOurHub(f"not the JSON of a hub: {error}") from error


def _refusal(answer: _Answer, hub_id: UUID | None) -> CheckinError:
    if answer.status in (429, 503) or answer.status >= 500:
        return HubBusy(f"status {answer.status}", retry_after=_seconds(answer.retry_after))
    try:
        problem = msgspec.json.decode(answer.body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NotOurHub(f"status {answer.status} without a hub's word")
    if problem.hub_id is None or (hub_id is not None and problem.hub_id != hub_id):
        return NotOurHub(f"status {answer.status} from another hub")
    return _named(problem)


def _named(problem: Problem) -> CheckinError:
    match problem.code:
        case Gap.code if problem.stream is not None:
            return Gap(problem.stream.acked_seq, problem.stream.acked_hash)
        case Fork.code if problem.at_seq is not None:
            return Fork(problem.at_seq)
        case DeviceUnknown.code:
            return DeviceUnknown()
        case DeviceRevoked.code:
            return DeviceRevoked()
        case ForeignStream.code:
            return ForeignStream()
        case CodeRefused.code:
            return CodeRefused()
        case TooLarge.code:
            return TooLarge()
        case ProtocolTooOld.code:
            return ProtocolTooOld()
        case "not_json" | "wrong_shape":
            return Unreadable(problem.code)
        case _:
            return Refused(problem.code)


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
