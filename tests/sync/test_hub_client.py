"""What can come back from a network, and what of it counts as the hub's word."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import requests
import responses
from responses import matchers

from sync import chain
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
    TryLater,
    Unreadable,
)
from sync.hub_client import MAX_ANSWER_BYTES, HubClient, base_url, enrol
from sync.messages import (
    HUB_HEADER,
    Enrolled,
    Enrolment,
    FeedPage,
    Problem,
    Push,
    PushAnswer,
    Receipt,
    Start,
    StreamMark,
    encode,
)
from tests.sync.fakes import EPOCH, HUB_ID, NOON, OTHER_HUB, STREAM, check_in, clock, person

URL = "https://hub.example"
FACTS = f"{URL}/api/v1/streams/{STREAM}/facts"
FEED = f"{URL}/api/v1/feed"
ENROLMENTS = f"{URL}/api/v1/enrolments"
APP = "kiosk/0.1.0"
LOGIN_PAGE = "<!doctype html><title>Campus Wi-Fi</title>Accept our terms"

PUSH = Push(
    proto=1,
    from_seq=1,
    prev_hash=chain.START,
    head_seq=1,
    clock=clock(),
    facts=(msgspec.Raw(check_in(1)),),
)
ANSWER = PushAnswer(
    hub_id=HUB_ID,
    epoch=EPOCH,
    hub_time=NOON,
    stream=StreamMark(acked_seq=1, acked_hash=chain.advance(chain.START, check_in(1))),
    receipts=(Receipt(seq=1, id=UUID(int=1), verdict="counted"),),
)
PAGE = FeedPage(
    hub_id=HUB_ID,
    epoch=EPOCH,
    to=2,
    more=False,
    entries=(person(2, UUID(int=0xADA)),),
    start=Start(roster_key=bytes(32)),
)


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def hub() -> Iterator[HubClient]:
    with HubClient(URL, HUB_ID, token="ada-s-token", app=APP) as client:
        yield client


def refused_push(network: responses.RequestsMock, hub: HubClient, **answer: Any) -> CheckinError:
    network.post(FACTS, **answer)
    with pytest.raises(CheckinError) as refused:
        hub.push(STREAM, PUSH)
    return refused.value


def refused_pull(network: responses.RequestsMock, hub: HubClient, **answer: Any) -> CheckinError:
    network.get(FEED, **answer)
    with pytest.raises(CheckinError) as refused:
        hub.pull(EPOCH, 3)
    return refused.value


def problem(
    status: int,
    code: str,
    hub_id: UUID | None = HUB_ID,
    stream: StreamMark | None = None,
    at_seq: int | None = None,
) -> dict[str, Any]:
    said = Problem(
        type="about:blank",
        title="No.",
        status=status,
        code=code,
        hub_id=hub_id,
        stream=stream,
        at_seq=at_seq,
    )
    return {"status": status, "body": encode(said), "content_type": "application/problem+json"}


# --- asking --------------------------------------------------------------------------------------


def test_a_push_goes_out_compressed_with_the_facts_as_first_written(
    network: responses.RequestsMock, hub: HubClient
) -> None:
    network.post(FACTS, body=encode(ANSWER))
    assert hub.push(STREAM, PUSH) == ANSWER

    sent = network.calls[0].request
    assert sent.headers["Content-Encoding"] == "gzip"
    assert sent.headers["Content-Type"] == "application/json"
    assert isinstance(sent.body, bytes)
    assert check_in(1) in gzip.decompress(sent.body)


def test_the_same_push_is_the_same_bytes_each_time(network: responses.RequestsMock, hub: HubClient) -> None:
    network.post(FACTS, body=encode(ANSWER))
    hub.push(STREAM, PUSH)
    hub.push(STREAM, PUSH)
    assert network.calls[0].request.body == network.calls[1].request.body


def test_the_token_travels_as_a_bearer_and_nowhere_else(network: responses.RequestsMock, hub: HubClient) -> None:
    network.get(FEED, body=encode(PAGE))
    hub.pull(None, 0)
    sent = network.calls[0].request
    assert sent.headers["Authorization"] == "Bearer ada-s-token"
    assert sent.headers["User-Agent"] == APP
    assert "ada-s-token" not in str(sent.url)


def test_a_netrc_of_the_machine_does_not_replace_the_token(
    network: responses.RequestsMock,
    hub: HubClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine hub.example login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    network.get(FEED, body=encode(PAGE))
    hub.pull(None, 0)
    assert network.calls[0].request.headers["Authorization"] == "Bearer ada-s-token"


@pytest.mark.parametrize(
    ("epoch", "after", "query"),
    [
        (None, 0, {"epoch": "", "after": "0", "mark": ""}),
        (EPOCH, 41, {"epoch": str(EPOCH), "after": "41", "mark": str(STREAM)}),
    ],
    ids=["from the beginning", "from where we stand"],
)
def test_a_pull_says_where_the_kiosk_stands(
    network: responses.RequestsMock,
    hub: HubClient,
    epoch: UUID | None,
    after: int,
    query: dict[str, str],
) -> None:
    network.get(FEED, body=encode(PAGE), match=[matchers.query_param_matcher(query)])
    assert hub.pull(epoch, after, UUID(query["mark"]) if query["mark"] else None) == PAGE


def test_a_hub_may_live_below_a_path(network: responses.RequestsMock) -> None:
    network.post(f"{URL}/checkin/api/v1/streams/{STREAM}/facts", body=encode(ANSWER))
    with HubClient(f"{URL}/checkin/", HUB_ID, token="t", app=APP) as hub:
        assert hub.push(STREAM, PUSH) == ANSWER


# --- not our hub ---------------------------------------------------------------------------------

FOREIGN: dict[str, dict[str, Any]] = {
    "captive portal 200": {"status": 200, "body": LOGIN_PAGE, "content_type": "text/html"},
    "JSON of somebody else": {"status": 200, "json": {"ok": True}},
    "an empty 200": {"status": 200, "body": b""},
    "noise": {"status": 200, "body": b"\xff\xfe\x00"},
    "a 204": {"status": 204},
    "a 404 page": {"status": 404, "body": LOGIN_PAGE, "content_type": "text/html"},
    "a 403 page": {"status": 403, "body": LOGIN_PAGE, "content_type": "text/html"},
    "a 401 without a hub": problem(401, "device_unknown", hub_id=None),
    "another hub cuts us off": problem(403, "device_revoked", hub_id=OTHER_HUB),
    "another hub names a gap": problem(
        409, "gap", hub_id=OTHER_HUB, stream=StreamMark(acked_seq=0, acked_hash=chain.START)
    ),
    "a 304 without our header": {"status": 304},
    "a 304 of another hub": {"status": 304, "headers": {HUB_HEADER: str(OTHER_HUB)}},
}


@pytest.mark.parametrize("answer", FOREIGN.values(), ids=FOREIGN)
def test_an_answer_that_is_not_our_hubs_moves_nothing_and_is_tried_again(
    network: responses.RequestsMock, hub: HubClient, answer: dict[str, Any]
) -> None:
    assert isinstance(refused_push(network, hub, **answer), NotOurHub)
    assert isinstance(refused_pull(network, hub, **answer), NotOurHub)


def test_a_push_processed_by_another_hub_is_not_believed(network: responses.RequestsMock, hub: HubClient) -> None:
    other = msgspec.structs.replace(ANSWER, hub_id=OTHER_HUB)
    assert isinstance(refused_push(network, hub, body=encode(other)), NotOurHub)


def test_a_page_of_another_hub_is_not_read(network: responses.RequestsMock, hub: HubClient) -> None:
    other = msgspec.structs.replace(PAGE, hub_id=OTHER_HUB)
    assert isinstance(refused_pull(network, hub, body=encode(other)), NotOurHub)


def test_an_entry_of_a_kind_that_only_a_newer_hub_knows_is_left_out(
    network: responses.RequestsMock, hub: HubClient
) -> None:
    page = FeedPage(hub_id=HUB_ID, epoch=EPOCH, to=3, more=False, entries=(person(1, HUB_ID), person(3, OTHER_HUB)))
    newer = encode(page).replace(b'"entries":[', b'"entries":[{"kind":"hologram","position":2},')
    network.get(FEED, body=newer)
    assert hub.pull(EPOCH, 0) == page


def test_an_entry_of_a_known_kind_that_cannot_be_read_makes_the_page_no_page(
    network: responses.RequestsMock, hub: HubClient
) -> None:
    page = FeedPage(hub_id=HUB_ID, epoch=EPOCH, to=3, more=False, entries=(person(1, HUB_ID),))
    network.get(FEED, body=encode(page).replace(b'"active"', b'"asleep"'))
    with pytest.raises(NotOurHub):
        hub.pull(EPOCH, 0)


def test_an_answer_nested_beyond_reason_is_not_our_hubs(network: responses.RequestsMock, hub: HubClient) -> None:
    for depth in (900, 1_000, 100_000):
        network.get(FEED, body=b'{"x":' + b"[" * depth + b"]" * depth + b"}")
        with pytest.raises(NotOurHub):
            hub.pull(EPOCH, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_the_token_never_goes_with_it(
    network: responses.RequestsMock, hub: HubClient, status: int
) -> None:
    answer = {"status": status, "headers": {"Location": "https://portal.example/login"}}
    assert isinstance(refused_push(network, hub, **answer), NotOurHub)
    assert isinstance(refused_pull(network, hub, **answer), NotOurHub)
    assert len(network.calls) == 2


def test_nothing_new_is_a_304_that_names_our_hub(network: responses.RequestsMock, hub: HubClient) -> None:
    network.get(FEED, status=304, headers={HUB_HEADER: str(HUB_ID)})
    assert hub.pull(EPOCH, 3) is None


def test_a_304_is_no_answer_to_a_push(network: responses.RequestsMock, hub: HubClient) -> None:
    answer = {"status": 304, "headers": {HUB_HEADER: str(HUB_ID)}}
    assert isinstance(refused_push(network, hub, **answer), NotOurHub)


def test_an_answer_that_is_too_long_is_not_read_to_its_end(network: responses.RequestsMock, hub: HubClient) -> None:
    endless = b" " * (MAX_ANSWER_BYTES + 1)
    assert isinstance(refused_push(network, hub, body=endless), NotOurHub)


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_read_to_its_end(
    network: responses.RequestsMock, hub: HubClient
) -> None:
    bomb = gzip.compress(b" " * (MAX_ANSWER_BYTES + 1))
    answer = {"body": bomb, "headers": {"Content-Encoding": "gzip"}}
    assert isinstance(refused_push(network, hub, **answer), NotOurHub)


# --- the hub says no -----------------------------------------------------------------------------

SAID: dict[str, tuple[dict[str, Any], type[CheckinError]]] = {
    "401": (problem(401, "device_unknown"), DeviceUnknown),
    "403 revoked": (problem(403, "device_revoked"), DeviceRevoked),
    "403 foreign": (problem(403, "foreign_stream"), ForeignStream),
    "413": (problem(413, "too_large"), TooLarge),
    "426": (problem(426, "proto_too_old"), ProtocolTooOld),
    "a code of a newer hub": (problem(400, "something_new"), Refused),
    "a gap without its mark": (problem(409, "gap"), Refused),
    "a fork without its place": (problem(409, "fork"), Refused),
}


@pytest.mark.parametrize(("answer", "error"), SAID.values(), ids=SAID)
def test_a_problem_in_our_hubs_name_is_believed(
    network: responses.RequestsMock,
    hub: HubClient,
    answer: dict[str, Any],
    error: type[CheckinError],
) -> None:
    assert type(refused_push(network, hub, **answer)) is error


def test_a_gap_says_how_far_the_hub_holds_the_stream(network: responses.RequestsMock, hub: HubClient) -> None:
    mark = StreamMark(acked_seq=7, acked_hash=b"h" * 32)
    gap = refused_push(network, hub, **problem(409, "gap", stream=mark))
    assert isinstance(gap, Gap)
    assert (gap.acked_seq, gap.acked_hash) == (7, b"h" * 32)


def test_a_fork_says_where_the_histories_part(network: responses.RequestsMock, hub: HubClient) -> None:
    fork = refused_push(network, hub, **problem(409, "fork", at_seq=41))
    assert isinstance(fork, Fork)
    assert fork.at_seq == 41


# --- nobody said no ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "Wed, 04 Mar 2026 12:00:00 GMT"}, None),
        ({"Retry-After": "soon"}, None),
    ],
    ids=["silent", "seconds", "negative", "a date", "a word"],
)
def test_a_busy_hub_is_asked_again_and_may_say_when(
    network: responses.RequestsMock,
    hub: HubClient,
    status: int,
    header: dict[str, str],
    seconds: float | None,
) -> None:
    busy = refused_push(network, hub, status=status, headers=header, body=LOGIN_PAGE)
    assert isinstance(busy, HubBusy)
    assert busy.retry_after == seconds


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError("no route"),
        requests.ConnectTimeout("hangs"),
        requests.ReadTimeout("hangs"),
        requests.exceptions.SSLError("not yet valid"),
        requests.exceptions.ProxyError("no proxy"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_no_answer_at_all_is_an_invitation_to_send_the_same_bytes_again(
    network: responses.RequestsMock, hub: HubClient, failure: Exception
) -> None:
    unreachable = refused_push(network, hub, body=failure)
    assert isinstance(unreachable, HubUnreachable)
    assert isinstance(unreachable, TryLater)
    assert unreachable.detail == type(failure).__name__


@contextmanager
def a_line_that_says(words: bytes) -> Iterator[str]:
    """A real socket that reads one request, says `words` and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line, line.makefile("rb") as heard:
                length = 0
                while header := heard.readline().strip():
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                heard.read(length)
                line.sendall(words)

        speaker = threading.Thread(target=serve)
        speaker.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        speaker.join()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"", id="before the first byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="within the headers"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + encode(ANSWER)[:100],
            id="within the body",
        ),
        pytest.param(
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"hub',
            id="within a chunk",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!",
            id="garbled",
        ),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
    ],
)
def test_a_line_that_is_cut_anywhere_is_tried_again(words: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with a_line_that_says(words) as url, HubClient(url, HUB_ID, "t", APP) as hub, pytest.raises(TryLater):
        hub.push(STREAM, PUSH)


# --- enrolment -----------------------------------------------------------------------------------

ENROLLED = Enrolled(
    kiosk_id=UUID(int=7),
    token="ada-s-token",
    hub_id=HUB_ID,
    hub_key=bytes(32),
    institution="School of Examples",
)


def test_a_code_is_exchanged_for_the_standing_of_a_kiosk(network: responses.RequestsMock) -> None:
    network.post(ENROLMENTS, status=201, body=encode(ENROLLED))
    assert enrol(f" {URL}/ ", " one-time-code\n", APP) == ENROLLED

    sent = network.calls[0].request
    assert "Authorization" not in sent.headers
    assert sent.body is not None
    assert msgspec.json.decode(sent.body, type=Enrolment) == Enrolment(code="one-time-code", app=APP)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(403, "code_refused"), CodeRefused),
        (problem(403, "code_refused", hub_id=None), NotOurHub),
        ({"status": 200, "body": LOGIN_PAGE}, NotOurHub),
        ({"status": 201, "body": LOGIN_PAGE}, NotOurHub),
        ({"status": 302, "headers": {"Location": "https://portal.example"}}, NotOurHub),
        ({"status": 429, "headers": {"Retry-After": "60"}}, HubBusy),
        ({"body": requests.ConnectionError("no route")}, HubUnreachable),
    ],
    ids=["refused", "nameless", "portal", "portal 201", "redirect", "too often", "no network"],
)
def test_an_enrolment_that_does_not_succeed_says_why(
    network: responses.RequestsMock, answer: dict[str, Any], error: type[CheckinError]
) -> None:
    network.post(ENROLMENTS, **answer)
    with pytest.raises(error):
        enrol(URL, "one-time-code", APP)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://hub.example", "https://hub.example"),
        ("  https://hub.example/ \n", "https://hub.example"),
        ("https://hub.example/checkin/", "https://hub.example/checkin"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_the_hubs_address_is_kept_in_one_form(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hub.example",
        "ftp://hub.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https:///api",
        "https://hub.example?next=1",
        "https://hub.example#top",
        "https://hub.example:port",
        "https://hub.example:99999",
        "https://[::1",
        "https://ada:secret@hub.example",
        "https://hub.example\\@portal.example",
        "https://hub example",
    ],
)
def test_what_is_no_plain_web_address_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        base_url(text)
    assert refused.value.reason == "not_a_url"
