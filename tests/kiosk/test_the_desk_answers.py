"""Every verdict, as a program, a page and htmx get it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import create_app
from kiosk.actions import arrivals
from kiosk.actions.arrivals import Arrival, Stores
from kiosk.config import Config
from kiosk.rules.verdicts import Verdict
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange
from kiosk.store.roster import Roster
from sync.messages import Gone, Moment
from tests.kiosk import builders as b
from tests.kiosk.conftest import AS_PROGRAM, Post, token

HTMX = {"HX-Request": "true"}


def verdict(response: Any) -> str:
    code: str = response.json["verdict"]
    return code


def test_ada_is_welcomed_by_name(as_program: Post) -> None:
    response = as_program(b.ADA_SCHOOL)
    assert response.status_code == 200
    assert response.json["verdict"] == "welcome"
    assert response.json["greeting"] == "Ada"
    assert UUID(response.json["check_in_id"])
    assert response.json["since"] is None


@pytest.mark.parametrize("how", [b.ADA_SCHOOL, b.ADA_HOME, f"  {b.ADA_HOME.upper()} ", b.ADA_SWIPE])
def test_any_address_and_the_card_are_ada(as_program: Post, how: str) -> None:
    assert as_program(how).json["greeting"] == "Ada"


def test_two_addresses_and_a_card_are_one_person(as_program: Post) -> None:
    first = as_program(b.ADA_SCHOOL).json
    for how in (b.ADA_HOME, b.ADA_SWIPE, b.ADA_SCHOOL):
        again = as_program(how).json
        assert again["verdict"] == "already_in"
        assert again["check_in_id"] == first["check_in_id"]
        assert again["since"].endswith("Z")


def test_bo_may_come_to_two_sessions(as_program: Post) -> None:
    assert verdict(as_program(b.BO)) == "welcome"
    assert verdict(as_program(b.BO, b.WORKSHOP)) == "welcome"
    assert verdict(as_program(b.BO, b.WORKSHOP)) == "already_in"


def test_cem_is_sent_to_staff_and_nothing_is_recorded(as_program: Post, folder: Path) -> None:
    response = as_program(b.CEM)
    assert response.json == {
        "verdict": "see_staff",
        "greeting": None,
        "check_in_id": None,
        "since": None,
        "reason": "disabled",
    }
    assert recorded(folder) == 0


def test_dita_is_noted_and_known_the_second_time(as_program: Post) -> None:
    first, again = as_program(b.DITA).json, as_program(b.DITA.upper()).json
    assert (first["verdict"], first["greeting"]) == ("noted", None)
    assert (again["verdict"], again["check_in_id"]) == ("already_in", first["check_in_id"])


def test_dita_is_still_in_when_the_roster_has_learned_who_she_is(as_program: Post, folder: Path) -> None:
    noted = as_program(b.DITA).json
    roster = Roster(folder, b.BOOT)
    roster.apply(b.page([b.person(b.Student("Dita", (b.DITA,)), 50)]))
    roster.close()
    known = as_program(b.DITA).json
    assert (known["verdict"], known["greeting"]) == ("already_in", "Dita")
    assert known["check_in_id"] == noted["check_in_id"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b.UNKNOWN_SWIPE, "unknown_card"),
        (None, "empty"),
        ("", "empty"),
        ("  ", "empty"),
        ("ada", "not_an_address"),
        ("a" * 250 + "@b.example", "too_long"),
        ("a\x07da@example.edu", "control_characters"),
        (";" + "9" * 10_000, "too_long"),
        ("9" * 70_000, "too_long"),
    ],
)
def test_what_cannot_be_read_is_not_recorded(as_program: Post, folder: Path, text: str | None, reason: str) -> None:
    response = as_program(text)
    assert (response.status_code, response.json["verdict"]) == (200, "not_recognised")
    assert response.json["reason"] == reason
    assert recorded(folder) == 0


def test_an_address_of_254_characters_is_taken(as_program: Post) -> None:
    domain = ".".join(["d" * 60] * 3) + ".example"
    address = "a" * (253 - len(domain)) + "@" + domain
    assert len(address) == 254
    assert as_program(address).json["reason"] in (None, "not_an_address")


def test_a_session_nobody_knows_is_for_staff(as_program: Post) -> None:
    assert as_program(b.BO, uuid4()).json["reason"] == "unknown_session"


def test_the_chosen_session_goes_on_when_the_roster_drops_it(as_program: Post, folder: Path) -> None:
    roster = Roster(folder, b.BOOT)
    roster.apply(b.page([Gone(position=60, what="session", key=b.FAIR)]))
    roster.close()
    assert verdict(as_program(b.BO)) == "welcome"


def test_a_kiosk_nobody_enrolled_checks_nobody_in(bare_app: Flask) -> None:
    client = bare_app.test_client()
    response = client.post(f"/sessions/{b.FAIR}/check-ins", data={"identifier": b.BO}, headers=AS_PROGRAM)
    assert response.json is not None
    assert response.json["reason"] == "not_enrolled"
    assert "kiosk enrol" in client.get("/").text


def test_a_withdrawn_kiosk_says_so_until_the_hub_takes_it_back(
    client: FlaskClient, as_program: Post, folder: Path
) -> None:
    journal = Journal(folder / "journal.sqlite")
    journal.note(Exchange(at=b.NOON, problem="hub_unreachable", withdrawn=True))
    assert "withdrawn" in client.get("/").text
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json) == (503, {"status": "not_ready", "problem": "withdrawn"})
    assert as_program(b.BO).json["reason"] == "withdrawn"
    journal.note(Exchange(at=b.NOON, well_at=b.NOON))
    journal.close()
    assert client.get("/readyz").status_code == 200
    assert verdict(as_program(b.BO)) == "welcome"


def test_the_same_form_twice_is_one_check_in_with_one_answer(as_program: Post, folder: Path) -> None:
    intent = str(uuid4())
    first, again = (as_program(b.BO, intent_id=intent).json for _ in range(2))
    assert first == again
    assert first["verdict"] == "welcome"
    assert recorded(folder) == 1


def test_fast_scanning_with_one_form_swallows_nobody(as_program: Post, folder: Path) -> None:
    intent = str(uuid4())
    assert verdict(as_program(b.BO, intent_id=intent)) == "welcome"
    assert verdict(as_program(b.ADA_SWIPE, intent_id=intent)) == "welcome"
    assert verdict(as_program(b.DITA, intent_id=intent)) == "noted"
    assert recorded(folder) == 3


def test_an_intent_that_is_no_id_is_no_obstacle(as_program: Post) -> None:
    assert verdict(as_program(b.BO, intent_id="robert'); --")) == "welcome"


def test_the_page_says_it_without_javascript(as_browser: Post) -> None:
    response = as_browser(b.ADA_SCHOOL)
    assert response.status_code == 200
    assert "Welcome, <bdi>Ada</bdi>!" in response.text
    assert "<html" in response.text
    assert '<meta http-equiv="refresh" content="5;url=/">' in response.text


def test_htmx_gets_the_verdict_and_a_fresh_form(as_browser: Post) -> None:
    response = as_browser(b.ADA_SCHOOL, HTMX)
    assert "Welcome, <bdi>Ada</bdi>!" in response.text
    assert "<html" not in response.text
    assert 'hx-swap-oob="true"' in response.text
    assert response.headers["Kiosk-Verdict"] == "welcome"


def test_the_answer_is_in_french_and_the_next_person_begins_in_english(as_browser: Post) -> None:
    response = as_browser(b.ADA_SCHOOL, HTMX, lang="fr")
    assert "Bienvenue, <bdi>Ada</bdi>\u202f!" in response.text
    assert 'name="lang" value="en"' in response.text


def came(folder: Path, who: b.Student, wall: datetime) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    moment = Moment(wall=wall, boot=b.BOOT, since_boot_ms=1)
    assert (
        arrivals.check_in(Stores(journal, roster), b.FAIR, Arrival(who.emails[0], None, moment, uuid4())).code
        == "welcome"
    )
    journal.close()
    roster.close()


def test_already_in_says_since_when(as_browser: Post, folder: Path) -> None:
    now = datetime.now(UTC)
    came(folder, b.BOB, now)
    local = now.astimezone().strftime("%H:%M")
    assert f"Already in since {local}." in as_browser(b.BO).text
    assert f"Présence déjà enregistrée à {local}." in as_browser(b.BO, lang="fr").text


def test_already_in_names_the_day_when_it_was_another(app: Flask, folder: Path) -> None:
    # Half past eleven at night in London is tomorrow in Paris.
    came(folder, b.BOB, datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    paris = create_app(Config(data_dir=folder, timezone=ZoneInfo("Europe/Paris")))
    client = paris.test_client()
    form = {"identifier": b.BO, "csrf_token": token(client)}
    url = f"/sessions/{b.FAIR}/check-ins"
    assert "Already in since Wed 4 Mar, 00:30." in client.post(url, data=form, follow_redirects=True).text
    in_french = client.post(url, data={**form, "lang": "fr"}, follow_redirects=True).text
    assert "Présence déjà enregistrée le mer. 4 mars à 00:30." in in_french
    paris.extensions["desk"].close()


@pytest.mark.parametrize("headers", [HTMX, {}, {"Accept": "application/json"}])
def test_a_scan_that_is_far_too_long_is_answered_as_too_long(
    client: FlaskClient, folder: Path, headers: dict[str, str]
) -> None:
    form = {"csrf_token": token(client), "identifier": "9" * 70_000, "lang": "fr"}
    response = client.post(f"/sessions/{b.FAIR}/check-ins?lang=fr", data=form, headers=headers, follow_redirects=True)
    assert (response.status_code, response.headers["Kiosk-Verdict"]) == (200, "not_recognised")
    assert "too_long" in response.text if "Accept" in headers else "trop long" in response.text
    assert recorded(folder) == 0


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}])
def test_a_choice_that_is_far_too_long_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post("/sessions", data={"session_id": "9" * 70_000}, headers=headers)
    assert response.status_code == 413
    assert "413" in response.text
    assert f"/sessions/{b.FAIR}/check-ins" in client.get("/").text


def test_a_card_nobody_knows_is_sealed_for_nobody(as_program: Post, folder: Path) -> None:
    journal = Journal(folder / "journal.sqlite")
    known = b.standing()
    # With this key nothing can be sealed.
    useless = msgspec.structs.replace(known.enrolled, hub_key=bytes(32))
    journal.enrolled(msgspec.structs.replace(known, enrolled=useless))
    journal.close()
    assert as_program(b.UNKNOWN_SWIPE).json["reason"] == "unknown_card"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", None])
def test_sessions_beyond_any_calendar_are_listed_all_the_same(app: Flask, folder: Path, zone: str | None) -> None:
    roster = Roster(folder, b.BOOT)
    session = b.session(b.WORKSHOP, 60, name="The end of time")
    ages = {"starts": datetime.min.replace(tzinfo=UTC), "ends": datetime.max.replace(tzinfo=UTC)}
    roster.apply(
        b.page(
            [
                msgspec.structs.replace(session, **ages),
                msgspec.structs.replace(session, id=uuid4(), position=61, starts=ages["ends"]),
                msgspec.structs.replace(session, id=uuid4(), position=62, ends=ages["starts"]),
            ]
        )
    )
    roster.close()
    far = create_app(Config(data_dir=folder, timezone=ZoneInfo(zone) if zone else None))
    client = far.test_client()
    assert client.get("/sessions?lang=fr").text.count("The end of time") == 3
    client.post("/sessions", data={"session_id": str(b.WORKSHOP), "csrf_token": token(client)})
    assert "The end of time" in client.get("/").text
    far.extensions["desk"].close()


def test_a_browser_without_the_pages_token_records_nothing(client: FlaskClient, folder: Path) -> None:
    url = f"/sessions/{b.FAIR}/check-ins"
    response = client.post(url, data={"identifier": b.BO})
    assert response.status_code == 400
    assert response.headers["Kiosk-Verdict"] == "not_recorded"
    assert client.post("/sessions", data={"session_id": str(b.FAIR)}).status_code == 400
    assert recorded(folder) == 0


def test_after_an_expired_page_the_next_try_works(client: FlaskClient) -> None:
    url = f"/sessions/{b.FAIR}/check-ins"
    refused = client.post(url, data={"identifier": b.BO}, headers=HTMX)
    fresh = refused.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    again = client.post(url, data={"identifier": b.BO, "csrf_token": fresh}, headers=HTMX)
    assert again.headers["Kiosk-Verdict"] == "welcome"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Accept": "application/json"}, "127.0.0.1"),
        ({"X-Kiosk-Client": "test"}, "127.0.0.1"),
        (AS_PROGRAM, "192.0.2.7"),
    ],
)
def test_only_a_program_on_this_machine_needs_no_token(
    client: FlaskClient, headers: dict[str, str], address: str
) -> None:
    response = client.post(
        f"/sessions/{b.FAIR}/check-ins",
        data={"identifier": b.BO},
        headers=headers,
        environ_base={"REMOTE_ADDR": address},
    )
    assert response.status_code == 400


def test_another_name_for_this_machine_opens_nothing(client: FlaskClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"Host": "localhost:8001"}).status_code == 200


def test_nothing_is_kept_by_the_browser_and_nothing_foreign_runs(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.headers["Cache-Control"] == "no-store"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "HttpOnly" in response.headers["Set-Cookie"]
    assert "SameSite=Strict" in response.headers["Set-Cookie"]


def test_an_address_that_is_markup_is_shown_nowhere(as_browser: Post) -> None:
    assert "<script>alert" not in as_browser('"<script>alert(1)</script>"@example.edu').text


def test_every_verdict_has_a_template(app: Flask) -> None:
    for kind in get_args(Verdict):
        assert app.jinja_env.get_template(f"verdicts/{kind.code}.html")


def test_healthz_touches_no_file(bare_app: Flask, folder: Path) -> None:
    (folder / "journal.sqlite").write_bytes(b"not a database at all" * 100)
    assert bare_app.test_client().get("/healthz").status_code == 200


def test_readyz_wants_an_enrolled_kiosk(bare_app: Flask, folder: Path) -> None:
    client = bare_app.test_client()
    unready = client.get("/readyz")
    assert (unready.status_code, unready.json) == (
        503,
        {"status": "not_ready", "problem": "not_enrolled"},
    )
    b.set_up(folder)
    assert client.get("/readyz").status_code == 200


def test_an_unknown_page_has_a_way_back(client: FlaskClient) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert 'href="/"' in response.text


def test_a_token_outlives_a_restart(client: FlaskClient, app: Flask, folder: Path) -> None:
    page_token = token(client)
    cookie = client.get_cookie("kiosk")
    assert cookie is not None
    restarted = create_app(Config(data_dir=folder))
    other = restarted.test_client()
    other.set_cookie("kiosk", cookie.value)
    response = other.post(f"/sessions/{b.FAIR}/check-ins", data={"identifier": b.BO, "csrf_token": page_token})
    assert response.headers["Kiosk-Verdict"] == "welcome"
    restarted.extensions["desk"].close()


def recorded(folder: Path) -> int:
    journal = Journal(folder / "journal.sqlite")
    try:
        return journal.marks().head_seq
    finally:
        journal.close()
