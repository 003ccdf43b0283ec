"""The hub over HTTP. The only file that imports requests.

An answer counts only when it is JSON of the expected shape that names the hub this kiosk enrolled with; everything
else that can come back from a network (a captive portal's page, a redirect, a proxy's 404) is `NotOurHub`, and no
answer at all is `HubUnreachable`: nobody said no, so the same bytes are sent again later.
"""

import gzip
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import requests

from sync.errors import (
    CheckinError,
    CodeRefused,
    DeviceRevoked,
    DeviceUnknown,
    ForeignStream,
    Fork,
    Gap,
    HubBusy,
    HubUnreachable,
    NotOurHub,
    ProtocolTooOld,
    Refused,
    TooLarge,
    Unreadable,
)
from sync.messages import (
    HUB_HEADER,
    Enrolled,
    Enrolment,
    FeedPage,
    Problem,
    Push,
    PushAnswer,
    encode,
    read_page,
)

TIMEOUT_S = (3.05, 15.0)
"""Seconds to connect, and between two bytes of an answer."""
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Bytes of an answer after decompression; no honest hub sends more."""

_ENROLLED = msgspec.json.Decoder(Enrolled)
_PUSH_ANSWER = msgspec.json.Decoder(PushAnswer)
_T = TypeVar("_T")


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


def enrol(url: str, code: str, app: str) -> Enrolled:
    """Exchange a one-time code for this kiosk's standing.

    Raises `CodeRefused` when the code is wrong, used or too old, `NotOurHub` when no hub answers there,
    `HubUnreachable` when nobody does.
    """
    with requests.Session() as http:
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

    `timeout`: seconds to connect, and between two bytes of an answer.
    """

    def __init__(self, url: str, hub_id: UUID, token: str, app: str, timeout: tuple[float, float] = TIMEOUT_S) -> None:
        self._url = base_url(url)
        self._hub_id = hub_id
        self._timeout = timeout
        self._http = requests.Session()
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

    def pull(self, epoch: UUID | None, after: int) -> FeedPage | None:
        """The next page after a position, or None when there is nothing new. Raises from `sync.errors`."""
        answer = _send(
            self._http,
            "GET",
            f"{self._url}/api/v1/feed",
            params={"epoch": str(epoch) if epoch else "", "after": str(after)},
            timeout=self._timeout,
        )
        if answer.status == 304 and answer.hub == str(self._hub_id):
            return None
        if answer.status != 200:
            raise _refusal(answer, self._hub_id)
        page = _read(answer, read_page)
        self._check_ours(page.hub_id)
        return page

    def _check_ours(self, hub_id: UUID) -> None:
        if hub_id != self._hub_id:
            raise NotOurHub("another hub answers at this address")


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
    except requests.RequestException as error:
        raise HubUnreachable(type(error).__name__) from error


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
        case _:
            return Refused(problem.code)


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
