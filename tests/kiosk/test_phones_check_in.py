"""The page on one's own phone, and the one-time links that lead to it."""

import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import qrcode
from flask import Flask
from flask.testing import FlaskClient
from qrcode.image.svg import SvgPathImage
from werkzeug.test import TestResponse

from kiosk import clock, phone
from kiosk.config import Config, WrongSetting
from kiosk.store.invitations import Invitations, TurnedAway, Turnstile
from kiosk.store.journal import Journal
from kiosk.store.remembered import Phones
from kiosk.views import Desk
from kiosk.views.phone import is_near
from tests.kiosk import builders as b
from tests.kiosk.conftest import AS_PROGRAM, token
from tests.kiosk.disks import full_disk

HOST = "192.168.7.5"
SITE = f"http://{HOST}:8002"
PHONE = {"REMOTE_ADDR": "192.168.7.20"}


@dataclass
class OpenLine:
    """A socket for phones that is open, as far as anybody asks."""

    port: int | None = 8002

    def open(self) -> None:
        self.port = 8002

    def close(self) -> None:
        self.port = None


@pytest.fixture
def desk(app: Flask) -> Desk:
    """The desk at the fair, with phones switched on."""
    desk: Desk = app.extensions["desk"]
    desk.journal.serve_phones(Phones(on=True, address=HOST))
    return desk


@pytest.fixture
def line(app: Flask) -> OpenLine:
    line = OpenLine()
    app.extensions["phone_line"] = line
    return line


@pytest.fixture
def phones(desk: Desk, line: OpenLine) -> Flask:
    """The program that phones meet."""
    return phone.wire(desk, line)


@pytest.fixture
def client_of(phones: Flask) -> Callable[[], FlaskClient]:
    """One more phone."""

    def new() -> FlaskClient:
        return phones.test_client()

    return new


def now_ms() -> int:
    return clock.now().since_boot_ms


def shown(desk: Desk) -> str:
    """The path of the link on the desk's screen."""
    return "/p/" + desk.invitations.on_screen(now_ms())


def get(phone: FlaskClient, path: str, at: str = "192.168.7.20", **headers: str) -> TestResponse:
    return phone.get(path, base_url=SITE, environ_overrides={"REMOTE_ADDR": at}, headers=headers)


def value(page: TestResponse, name: str) -> str:
    return page.text.partition(f'name="{name}" value="')[2].partition('"')[0]


def send(
    phone: FlaskClient, path: str, page: TestResponse, identifier: str, at: str = "192.168.7.20", **form: str
) -> TestResponse:
    """Fill in the form of that page, and follow to the answer."""
    data = {
        "identifier": identifier,
        "csrf_token": value(page, "csrf_token"),
        "purpose": value(page, "purpose"),
        "lang": "en",
        **form,
    }
    return phone.post(path, data=data, base_url=SITE, environ_overrides={"REMOTE_ADDR": at}, follow_redirects=True)


def words(page: TestResponse) -> str:
    """What the page says, without its tags."""
    return re.sub(r"<[^>]*>", "", page.text)


def together(doings: Iterable[Callable[[], None]]) -> None:
    """All of them at the same time."""
    threads = [threading.Thread(target=each) for each in doings]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def head(desk: Desk) -> int:
    return desk.journal.marks().head_seq


# --- the way in


def test_a_phone_checks_in_by_the_link_on_the_screen(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    assert "Career fair, day 1" in page.text
    answer = send(mine, path, page, b.ADA_SCHOOL)
    assert "Welcome, Ada!" in words(answer)
    assert "You can close this page." in answer.text
    assert "<form" not in answer.text
    assert head(desk) == 1
    [fact] = desk.journal.facts_after(0, 10)
    assert b'"method":"email"' in fact


@pytest.mark.parametrize(("text", "method"), [(b.ADA_SWIPE, b'"card"'), (b.ADA_PASS, b'"pass"')])
def test_cards_and_passes_stay_what_they_are(
    desk: Desk, client_of: Callable[[], FlaskClient], text: str, method: bytes
) -> None:
    mine, path = client_of(), shown(desk)
    send(mine, path, get(mine, path), text)
    assert method in desk.journal.facts_after(0, 10)[0]


def test_the_page_speaks_the_language_of_the_phone(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    page = get(client_of(), shown(desk), **{"Accept-Language": "fr-FR"})
    assert '<html lang="fr"' in page.text
    assert "Votre adresse e-mail" in page.text


def test_a_desk_that_checks_out_does_so_on_phones(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    send(mine, path, get(mine, path), b.ADA_SCHOOL)
    desk.roster.apply(b.page([b.session(position=2_000, check_out=True)]))
    desk.journal.choose(b.session(), leaving=True)
    other, path = client_of(), shown(desk)
    page = get(other, path)
    assert "Check out" in page.text
    assert "Goodbye, Ada!" in words(send(other, path, page, b.ADA_SCHOOL))


def test_whoever_opens_a_link_may_reload_it(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    get(mine, path)
    page = get(mine, path)
    assert page.status_code == 200
    answer = send(mine, path, page, b.BO)
    assert "Welcome, Bo!" in words(answer)
    assert "Welcome, Bo!" in words(get(mine, path))


def test_a_form_sent_twice_is_one_check_in_with_one_answer(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    send(mine, path, page, b.ADA_SCHOOL)
    again = send(mine, path, page, b.BO)
    assert "Welcome, Ada!" in words(again)
    assert head(desk) == 1


def test_a_typing_error_can_be_mended(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    for _ in range(5):
        page = send(mine, path, page, "ada at example")
        assert "That is not an email address" in page.text
    assert "Welcome, Ada!" in words(send(mine, path, page, b.ADA_SCHOOL))


@pytest.mark.parametrize("text", [b.UNKNOWN_SWIPE, b.CEM], ids=["unknown", "disabled"])
def test_a_link_lets_nobody_try_out_others(desk: Desk, client_of: Callable[[], FlaskClient], text: str) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    for _ in range(3):
        page = send(mine, path, page, text)
        assert "<form" in page.text
    answer = send(mine, path, page, b.ADA_SCHOOL)
    assert "Please see a staff member" in answer.text
    assert "<form" not in answer.text
    assert head(desk) == 0


def test_misses_on_phones_count_at_the_desk(
    desk: Desk, client: FlaskClient, client_of: Callable[[], FlaskClient]
) -> None:
    for nth in range(10):
        mine, path = client_of(), shown(desk)
        page = get(mine, path, f"10.0.0.{nth}")
        for _ in range(2):
            assert not desk.misses.too_many(now_ms())
            send(mine, path, page, b.UNKNOWN_SWIPE, f"10.0.0.{nth}")
    answer = client.post(f"/sessions/{b.FAIR}/check-ins", data={"identifier": b.ADA_SCHOOL}, headers=AS_PROGRAM)
    assert answer.json is not None
    assert (answer.json["verdict"], answer.json["reason"]) == ("see_staff", "too_many_misses")


def test_a_desk_that_was_switched_says_so_before_it_records(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    desk.journal.choose(b.session(b.WORKSHOP, name="CV workshop", event="CV workshop"))
    page = send(mine, path, page, b.ADA_SCHOOL)
    assert "The desk has moved on to another session" in page.text
    assert "<h1><bdi>CV workshop</bdi></h1>" in page.text
    assert head(desk) == 0
    assert "Welcome, Ada!" in words(send(mine, path, page, b.ADA_SCHOOL))
    assert str(b.WORKSHOP).encode() in desk.journal.facts_after(0, 10)[0]


def test_a_full_disk_is_no_welcome(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    with full_disk(desk.journal):
        for nth in range(90):
            mine, path = client_of(), shown(desk)
            answer = send(mine, path, get(mine, path, f"10.0.0.{nth}"), f"guest{nth}@nowhere.example", f"10.0.0.{nth}")
            if answer.status_code != 200:
                break
        recorded = head(desk)
    assert answer.status_code == 503
    assert "Not recorded" in answer.text
    assert recorded == nth
    assert "Welcome, Ada!" in words(send(mine, path, answer, b.ADA_SCHOOL))


# --- who does not get in


def test_a_link_is_for_one_phone(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    second = get(client_of(), path)
    assert second.status_code == 410
    assert "Each code is for one phone" in second.text
    assert send(mine, path, page, b.ADA_SCHOOL).status_code == 200


def test_looking_ahead_does_not_use_a_link_up(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    path = shown(desk)
    client_of().head(path, base_url=SITE, environ_overrides=PHONE)
    get(client_of(), path, **{"Sec-Purpose": "prefetch;prerender"})
    assert get(client_of(), path).status_code == 200


def test_a_link_of_long_ago_says_where_a_fresh_one_is(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    token = desk.invitations.on_screen(now_ms() - Invitations.TO_OPEN_MS - 1)
    late = get(client_of(), f"/p/{token}")
    assert late.status_code == 410
    assert "Please scan the fresh one" in late.text
    assert get(client_of(), "/p/never-was-one").status_code == 410


def test_a_form_left_open_for_too_long_records_nothing(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    invitation = desk.invitations._out[path.removeprefix("/p/")]
    invitation.opened_ms -= Invitations.TO_ANSWER_MS + 1
    assert send(mine, path, page, b.ADA_SCHOOL).status_code == 410
    assert head(desk) == 0


def test_a_form_needs_the_token_and_the_cookie_of_its_phone(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    refused = send(mine, path, page, b.ADA_SCHOOL, csrf_token="made up")
    assert refused.status_code == 400
    assert "Nothing was recorded" in refused.text
    assert send(client_of(), path, page, b.ADA_SCHOOL).status_code == 400
    other = client_of()
    own = get(other, shown(desk))
    assert send(other, path, own, b.ADA_SCHOOL).status_code == 410
    as_program = mine.post(path, data={"identifier": b.BO}, headers=AS_PROGRAM, base_url=SITE, environ_overrides=PHONE)
    assert as_program.status_code == 400
    assert head(desk) == 0


@pytest.mark.parametrize("address", ["203.0.113.9", "8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", "", "?"])
def test_nobody_comes_in_from_outside(desk: Desk, client_of: Callable[[], FlaskClient], address: str) -> None:
    path = shown(desk)
    answer = client_of().get(path, base_url=SITE, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 403
    assert "phones in the same network" in answer.text
    assert get(client_of(), path).status_code == 200


@pytest.mark.parametrize(("site", "address"), [(SITE, "203.0.113.9"), ("http://evil.example:8002", "192.168.7.20")])
def test_whoever_is_turned_away_reads_why_on_a_page_with_its_looks(
    desk: Desk, client_of: Callable[[], FlaskClient], site: str, address: str
) -> None:
    there = {"base_url": site, "environ_overrides": {"REMOTE_ADDR": address}}
    page = client_of().get(shown(desk), **there)
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
    assert page.status_code in (403, 421)
    assert len(sheets) == 3
    for each in sheets:
        with client_of().get(each, **there) as answer:
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.254",
        "192.168.0.1",
        "169.254.3.4",
        "fd00::1",
        "::ffff:10.1.1.1",
    ],
)
def test_the_neighbourhood_is_let_in(address: str) -> None:
    assert is_near(address)


@pytest.mark.parametrize("address", ["172.15.0.1", "172.32.0.1", "192.169.0.1", "fec0::1", "::ffff:11.0.0.1"])
def test_the_neighbourhood_has_edges(address: str) -> None:
    assert not is_near(address)


def test_a_campus_with_public_addresses_names_its_networks() -> None:
    told = {"KIOSK_DATA_DIR": "/nowhere", "KIOSK_PHONE_NETWORKS": "198.51.100.0/24, 2001:db8::/32"}
    config = Config.from_environment(told)
    assert is_near("198.51.100.7", config.phone_networks)
    assert is_near("2001:db8::7", config.phone_networks)
    assert not is_near("203.0.113.9", config.phone_networks)
    with pytest.raises(WrongSetting, match="KIOSK_PHONE_NETWORKS"):
        Config.from_environment(told | {"KIOSK_PHONE_NETWORKS": "the campus"})


@pytest.mark.parametrize(
    "name", ["http://evil.example:8002", f"http://{HOST}", f"http://{HOST}:8001", "http://localhost:8002"]
)
def test_another_name_that_leads_here_opens_nothing(
    desk: Desk, client_of: Callable[[], FlaskClient], name: str
) -> None:
    path = shown(desk)
    answer = client_of().get(path, base_url=name, environ_overrides=PHONE)
    assert answer.status_code == 421
    assert "does not answer to that name" in answer.text
    assert get(client_of(), path).status_code == 200


def test_a_switched_off_line_has_no_pages(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    desk.journal.serve_phones(Phones(on=False, address=HOST))
    for each in (path, "/", "/static/phone.css", "/ui/tokens.css"):
        assert get(mine, each).status_code == 404
    assert send(mine, path, page, b.ADA_SCHOOL).status_code == 404
    assert head(desk) == 0


def test_phones_reach_no_other_page_of_the_desk(app: Flask, desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine = client_of()
    own = {"phone", "static", "ui"}
    paths = {
        rule.rule.replace("<uuid:session_id>", str(b.FAIR)).replace("<", "").replace(">", "")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] not in own
    }
    assert "/staff/" in paths
    assert "/sessions" in paths
    for nth, path in enumerate(sorted(paths)):
        environ = {"REMOTE_ADDR": f"10.9.{nth}.1"}
        for ask in (mine.get, mine.post):
            answer = ask(path, base_url=SITE, environ_overrides=environ)
            # A form without its token is not even told that there is no page.
            assert answer.status_code in (404, 400), path
            assert "Career fair" not in answer.text
            assert "Example University" not in answer.text


def test_a_request_that_is_far_too_long_is_said_to_be(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    assert send(mine, path, page, "x" * 20_000).status_code == 413
    assert "That was too long" in send(mine, path, page, "x" * 2_000).text
    assert "Welcome, Ada!" in words(send(mine, path, page, b.ADA_SCHOOL))


@pytest.mark.parametrize(
    "text", ["\x00", "\u202eevil", "<script>alert(1)</script>", "' OR 1=1 --", "%ED%A0%80", "😀" * 300]
)
def test_naughty_texts_are_not_recognised_and_do_nothing_else(
    desk: Desk, client_of: Callable[[], FlaskClient], text: str
) -> None:
    mine, path = client_of(), shown(desk)
    answer = send(mine, path, get(mine, path), text)
    assert answer.status_code == 200
    assert 'data-verdict="not_recognised"' in answer.text
    assert "<script>" not in answer.text


def test_too_many_from_one_phone_wait_and_others_do_not(desk: Desk, client_of: Callable[[], FlaskClient]) -> None:
    mine = client_of()
    for _ in range(phone.A_MINUTE_FROM_ONE_PHONE):
        assert get(mine, "/p/guess").status_code == 410
    refused = get(mine, "/p/guess")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert f"in {refused.headers['Retry-After']} seconds" in refused.text
    assert get(client_of(), shown(desk), "192.168.7.21").status_code == 200


# --- links, with the time in the test's hands


def test_a_link_stays_on_the_screen_for_a_minute_or_until_it_is_used() -> None:
    links: Invitations[str] = Invitations()
    first = links.on_screen(1_000)
    assert links.on_screen(60_999) == first
    second = links.on_screen(61_000)
    assert second != first
    links.open(second, None, 62_000)
    assert links.on_screen(62_000) not in (first, second)


def test_a_link_opens_until_two_minutes_after_it_was_shown() -> None:
    links: Invitations[str] = Invitations()
    early, late = links.on_screen(0), links.on_screen(60_000)
    assert links.open(early, None, 120_000).holder
    with pytest.raises(TurnedAway) as turned_away:
        links.open(late, None, 180_001)
    assert turned_away.value.code == "late"


def test_an_open_link_lives_for_three_minutes() -> None:
    links: Invitations[str] = Invitations()
    link = links.open(links.on_screen(0), None, 100_000)
    assert links.held(link.token, link.holder, 280_000) is link
    with pytest.raises(TurnedAway):
        links.held(link.token, link.holder, 280_001)


def test_tokens_cannot_be_guessed() -> None:
    links: Invitations[str] = Invitations()
    tokens = {links.on_screen(nth * 60_000) for nth in range(50)}
    assert len(tokens) == 50
    # 22 characters of 6 bits each.
    assert all(len(each) == 22 for each in tokens)


def test_forgotten_links_are_no_links() -> None:
    links: Invitations[str] = Invitations()
    link = links.open(links.on_screen(0), None, 0)
    links.forget()
    with pytest.raises(TurnedAway):
        links.held(link.token, link.holder, 1)


@pytest.mark.parametrize("_again", range(20))
def test_of_phones_that_race_for_a_link_one_wins(_again: int) -> None:
    links: Invitations[str] = Invitations()
    on_screen = links.on_screen(0)
    start = threading.Barrier(8)
    ends: list[str] = []

    def race() -> None:
        start.wait()
        try:
            links.open(on_screen, None, 1)
            ends.append("in")
        except TurnedAway as error:
            ends.append(error.code)

    together(race for _ in range(8))
    assert sorted(ends) == ["in", *["used"] * 7]


def test_one_link_is_one_check_in_however_many_forms_are_sent_at_once(
    desk: Desk, phones: Flask, client_of: Callable[[], FlaskClient]
) -> None:
    mine, path = client_of(), shown(desk)
    page = get(mine, path)
    cookie = mine.get_cookie("kiosk_phone", domain=HOST)
    assert cookie is not None
    start = threading.Barrier(6)

    def fill_in(nth: int) -> None:
        twin = phones.test_client()
        twin.set_cookie("kiosk_phone", cookie.value, domain=HOST)
        start.wait()
        send(twin, path, page, f"guest{nth}@nowhere.example")

    together(partial(fill_in, nth) for nth in range(6))
    assert head(desk) == 1


def test_a_turnstile_counts_a_minute() -> None:
    turnstile = Turnstile(each=2, everybody=3)
    assert turnstile.wait_s("a", 0) == 0
    assert turnstile.wait_s("a", 10_000) == 0
    assert turnstile.wait_s("a", 20_000) == 40
    assert turnstile.wait_s("b", 20_500) == 0
    assert turnstile.wait_s("b", 21_000) == 39
    assert turnstile.wait_s("c", 59_999) == 1
    assert turnstile.wait_s("a", 60_000) == 0
    assert turnstile.wait_s("a", 60_001) == 10


# --- the desk and its staff


def test_the_desk_shows_a_link_only_while_phones_are_served(client: FlaskClient, desk: Desk, line: OpenLine) -> None:
    assert "phone-code" in client.get("/").text
    line.close()
    assert "phone-code" not in client.get("/").text
    line.open()
    desk.journal.serve_phones(Phones())
    assert "phone-link" not in client.get("/").text


def test_the_code_says_the_link(client: FlaskClient, desk: Desk, line: OpenLine) -> None:
    page = client.get("/").text
    expected = qrcode.make(
        f"http://{HOST}:8002{shown(desk)}",
        image_factory=SvgPathImage,
        border=2,
        error_correction=qrcode.ERROR_CORRECT_M,
    ).to_string(encoding="unicode")
    assert expected in page
    # As a text it would be there for whoever reads the page's source over a shoulder.
    assert shown(desk) not in page


def test_the_desk_asks_for_a_fresh_link_and_mostly_hears_nothing(
    client: FlaskClient, desk: Desk, line: OpenLine, client_of: Callable[[], FlaskClient]
) -> None:
    ask = client.get("/").text.partition('hx-get="/phone-link')[2].partition('"')[0].replace("&amp;", "&")
    same = client.get("/phone-link" + ask)
    assert (same.status_code, same.data) == (204, b"")
    get(client_of(), shown(desk))
    fresh = client.get("/phone-link" + ask)
    assert fresh.status_code == 200
    assert "phone-code" in fresh.text
    line.close()
    gone = client.get("/phone-link" + ask)
    assert "phone-code" not in gone.text
    assert client.get("/phone-link?shown=").status_code == 204


def test_staff_switch_phones_on_and_off(client: FlaskClient, app: Flask) -> None:
    line = OpenLine(port=None)
    app.extensions["phone_line"] = line
    desk: Desk = app.extensions["desk"]
    form = {"csrf_token": token(client), "address": " Desk.Example.EDU ", "on": "yes"}
    page = client.post("/staff/phone", data=form, follow_redirects=True)
    assert "It is on." in page.text
    assert "http://desk.example.edu:8002" in page.text
    assert line.port == 8002
    assert desk.journal.remembered().phones == Phones(on=True, address="desk.example.edu")
    kept = desk.invitations.on_screen(now_ms())
    page = client.post("/staff/phone", data={**form, "on": "no"}, follow_redirects=True)
    assert "It is off." in page.text
    assert app.extensions["phone_line"].port is None
    with pytest.raises(TurnedAway):
        desk.invitations.open(kept, None, now_ms())


@pytest.mark.parametrize(
    "address", ["http://desk", "desk:80", "a b", "-desk", "a" * 254, "<script>", "desk\x00", "dèsk"]
)
def test_an_address_that_is_none_is_refused(client: FlaskClient, desk: Desk, line: OpenLine, address: str) -> None:
    form = {"csrf_token": token(client), "address": address, "on": "yes"}
    answer = client.post("/staff/phone", data=form)
    assert answer.status_code == 422
    assert "not a name or an address" in answer.text
    assert desk.journal.remembered().phones.address == HOST


def test_a_device_without_a_network_asks_for_an_address(
    client: FlaskClient, line: OpenLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.network.own_address", lambda towards=None: None)
    answer = client.post("/staff/phone", data={"csrf_token": token(client), "on": "yes"})
    assert answer.status_code == 422
    assert "in no network" in answer.text


# --- the socket


@pytest.fixture
def listening(desk: Desk) -> Iterator[phone.Socket]:
    """A socket for phones on this machine."""
    desk.journal.serve_phones(Phones(on=True, address="127.0.0.1"))
    local = replace(desk, config=replace(desk.config, phone_host="127.0.0.1", phone_port=0))
    listening = phone.Socket(local)
    yield listening
    listening.close()


def test_the_socket_listens_from_opening_to_closing_and_again(desk: Desk, listening: phone.Socket) -> None:
    assert listening.port is None
    for _ in range(2):
        listening.open()
        listening.open()
        with urllib.request.urlopen(f"http://127.0.0.1:{listening.port}{shown(desk)}") as page:
            assert page.status == 200
        gone = listening.port
        listening.close()
        assert listening.port is None
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{gone}/")


def test_a_port_that_is_taken_is_said_to_be(
    client: FlaskClient, app: Flask, desk: Desk, listening: phone.Socket
) -> None:
    listening.open()
    config = replace(desk.config, phone_host="127.0.0.1", phone_port=listening.port or 0)
    app.extensions["desk"] = replace(desk, config=config)
    app.extensions["phone_line"] = phone.Socket(app.extensions["desk"])
    desk.journal.serve_phones(Phones())
    answer = client.post("/staff/phone", data={"csrf_token": token(client), "on": "yes", "address": "127.0.0.1"})
    assert answer.status_code == 503
    assert f"Port {listening.port} cannot be had" in answer.text
    assert not desk.journal.remembered().phones.on


@pytest.mark.parametrize("on", [True, False])
def test_a_desk_that_starts_serves_phones_if_it_did_before(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    desk.journal.serve_phones(Phones(on=on, address="127.0.0.1"))
    port, phone_port = two_free_ports()
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))
    monkeypatch.setenv("KIOSK_PHONE_PORT", str(phone_port))
    with subprocess.Popen(
        [sys.executable, "-m", "kiosk", "serve", "--port", str(port)], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        assert "The desk is at" in server.stderr.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.URLError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{phone_port}/p/late")
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
    if on:
        assert isinstance(refused.value, urllib.error.HTTPError)
        assert refused.value.code == 410
        refused.value.close()
    else:
        assert isinstance(refused.value.reason, ConnectionRefusedError)


def two_free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def test_what_was_switched_on_stays_on(desk: Desk, folder: Path) -> None:
    again = Journal(folder / "journal.sqlite")
    assert again.remembered().phones == Phones(on=True, address=HOST)
    again.close()
