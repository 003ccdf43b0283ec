"""What a student sees and hears, what they may ask of the screen, and that nothing of it is left for the next one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from playwright.sync_api import Page, expect

from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync.messages import Session
from tests.browser.conftest import SIZES, Complaints, Serve, until
from tests.browser.test_the_desk_in_chromium import accessible, enter, fits, shown
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

NEXT_STEP = {"en": "Room B, first floor", "fr": "Salle B, premier étage"}
LONG_NAME = b.Student("Wolfeschlegelsteinhausen-Montgomery Featherstonehaugh", ("long@example.edu",))
ARABIC_NAME = b.Student("عبد الرحمن", ("arabic@example.edu",))
CHINESE_NAME = b.Student("歐陽娜娜", ("chinese@example.edu",))

LANGUAGES = ("en", "fr")
ASKED = ("", "text=large", "contrast=high", "text=large&contrast=high")

# How each verdict comes about at a desk where Bo has been before; nobody answers `not_recorded`.
WAYS = {
    "welcome": b.ADA_SWIPE,
    "already_in": b.BO,
    "noted": b.DITA,
    "checked_out": b.BO,
    "not_recognised": b.UNKNOWN_SWIPE,
    "see_staff": b.CEM,
    "not_recorded": b.BO,
}
WORDS = {
    "en": {
        "welcome": ("Welcome, Ada!", "You are checked in.", "Career fair, day 1", "Next: Room B, first floor"),
        "already_in": ("Hello again, Bo!", "Already in since", "Next: Room B, first floor"),
        "noted": (
            "Thank you, noted! You can go in.",
            "If you usually use another address, please tell a staff member.",
        ),
        "checked_out": ("Goodbye, Bo!", "You are checked out.", "You were here from"),
        "not_recognised": ("Card not recognised", "Please type your email address instead.", "Code 11"),
        "see_staff": ("Please see a staff member", "Nothing was recorded.", "Code 31"),
        "not_recorded": ("No answer", "Please try once more", "Code 50"),
    },
    "fr": {
        "welcome": (
            "Bienvenue, Ada\u202f!",
            "Votre présence est enregistrée.",
            "Ensuite\u202f: Salle B, premier étage",
        ),
        "already_in": ("Rebonjour, Bo\u202f!", "Présence déjà enregistrée", "Ensuite\u202f: Salle B, premier étage"),
        "noted": (
            "Merci, vous pouvez entrer.",
            "Adresse notée. Une autre d’habitude ? Dites-le à l’accueil.",
        ),
        "checked_out": ("Au revoir, Bo\u202f!", "Votre sortie est enregistrée.", "Vous étiez ici depuis"),
        "not_recognised": ("Carte non reconnue", "Saisissez plutôt votre adresse e-mail.", "Code 11"),
        "see_staff": ("Adressez‑vous à l’accueil", "Rien n’a été enregistré.", "Code 31"),
        "not_recorded": ("Pas de réponse", "Réessayez", "Code 50"),
    },
}

# Stand-ins for what a test machine has not: loudspeakers, and voices.
LISTENING = """
window.heard = [];
window.AudioContext = class {
  constructor() { this.currentTime = 0; this.destination = {}; window.contexts = (window.contexts ?? 0) + 1; }
  resume() { return Promise.resolve(); }
  createGain() {
    return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (next) => next };
  }
  createOscillator() {
    const tone = { frequency: {}, connect: (next) => next, stop() {} };
    tone.start = (at) => window.heard.push([tone.type, tone.frequency.value, at]);
    return tone;
  }
};
"""
VOICES = """
window.said = [];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
const voices = %s.map(([lang, localService]) => ({ lang, localService }));
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => voices,
  addEventListener() {},
  cancel() { window.said.push("cancel"); },
  speak(each) { window.said.push([each.text, each.lang]); },
} });
"""
LOCAL_VOICES = VOICES % '[["en-GB", true], ["fr-FR", true]]'


def stand_at(tmp_path: Path, *, leaving: bool = False, next_step: dict[str, str] | None = None) -> Session:
    """The desk stands at the fair, with a next step for who has checked in."""
    session = msgspec.structs.replace(
        b.session(), next_step=NEXT_STEP if next_step is None else next_step, check_out=True, position=900
    )
    roster = Roster(tmp_path / "kiosk", b.BOOT)
    roster.apply(b.page([session]))
    roster.close()
    journal = Journal(tmp_path / "kiosk" / "journal.sqlite")
    journal.choose(session, leaving)
    journal.close()
    return session


@pytest.fixture
def fair(serve: Serve, tmp_path: Path) -> str:
    """The address of a desk at the fair, with a next step, and people with names that are hard to set."""
    b.set_up(tmp_path / "kiosk", (*b.CAST, LONG_NAME, ARABIC_NAME, CHINESE_NAME))
    stand_at(tmp_path)
    return serve()


def answered(page: Page, code: str) -> None:
    """That verdict is shown, and everything that comes with it has come."""
    shown(page, code)
    expect(page.locator(".desk")).not_to_have_class(re.compile("busy"))


def hold_time(page: Page, complaints: Complaints) -> None:
    """The page's time passes as the test says; a line that was being asked for meanwhile has run out of it."""
    page.clock.install()
    complaints.expected = ("htmx:error: timeout",)


def bring_about(page: Page, address: str, code: str, asked: str, tmp_path: Path) -> None:
    """Opens the desk as somebody asked for it, and lets them get that verdict."""
    if code in ("already_in", "checked_out"):
        page.goto(address)
        enter(page, b.BO)
        expect(page.locator("#verdict [data-verdict]")).to_be_attached()
    if code == "checked_out":
        stand_at(tmp_path, leaving=True)
    page.goto(f"{address}/?{asked}")
    if code == "not_recorded":
        page.route("**/check-ins", lambda route: route.abort())
    enter(page, WAYS[code])
    answered(page, code)
    if code == "not_recorded":
        page.unroute("**/check-ins")


def heard(page: Page) -> list[tuple[str, int]]:
    """The tones since the page was opened, each with its wave and hertz."""
    return [(wave, hertz) for wave, hertz, _at in page.evaluate("heard")]


def look(page: Page) -> dict[str, str]:
    return cast(
        dict[str, str],
        page.locator("#verdict [data-verdict]").evaluate(
            """section => {
                const style = getComputedStyle(section);
                return {
                    colour: style.backgroundColor + style.borderTopColor,
                    shape: section.querySelector(":scope > svg").innerHTML,
                    word: section.querySelector(".greeting").textContent + section.querySelector(".word").textContent,
                };
            }"""
        ),
    )


def pressed(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")


def nothing_asked(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-wishes", "")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("[aria-pressed=true]")).to_have_count(0)
    for name in ("text", "contrast", "speech"):
        expect(page.locator(f'#fresh [name="{name}"]')).to_have_value("")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", WAYS)
def test_each_verdict_says_what_was_decided_and_what_to_do_next(
    fair: str, open_page: OpenPage, tmp_path: Path, complaints: Complaints, code: str, language: str
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    page = open_page()
    bring_about(page, fair, code, f"lang={language}", tmp_path)
    verdict = page.locator("#verdict")
    for words in WORDS[language][code]:
        expect(verdict).to_contain_text(words)
    expect(verdict.locator("[data-verdict] > svg")).to_be_visible()
    expect(verdict.locator("[data-verdict]")).to_have_attribute("lang", language)


@pytest.mark.parametrize("asked", ["", "contrast=high"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_two_verdicts_look_or_sound_or_read_alike(
    fair: str, open_page: OpenPage, tmp_path: Path, complaints: Complaints, colours: str, asked: str
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    looks, sounds = [], {}
    page = open_page(color_scheme=colours)
    page.add_init_script(LISTENING)
    for code in WAYS:
        stand_at(tmp_path)
        bring_about(page, fair, code, asked, tmp_path)
        looks.append(look(page))
        sounds[code] = heard(page)
    for sense in ("colour", "shape", "word"):
        assert len({each[sense] for each in looks}) == len(WAYS), sense
    assert len({tuple(each) for each in sounds.values()}) == len(WAYS)


def test_what_was_recorded_sounds_high_and_what_was_not_sounds_low_and_rough(
    fair: str, open_page: OpenPage, tmp_path: Path, complaints: Complaints
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    page = open_page()
    page.add_init_script(LISTENING)
    for code in WAYS:
        bring_about(page, fair, code, "", tmp_path)
        tones = heard(page)
        assert tones
        if code in ("not_recognised", "see_staff", "not_recorded"):
            assert all(wave != "triangle" and hertz < 300 for wave, hertz in tones)
        else:
            assert all(wave == "triangle" and hertz > 500 for wave, hertz in tones)
        stand_at(tmp_path)


def test_a_welcome_rises(fair: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    page.add_init_script(LISTENING)
    bring_about(page, fair, "welcome", "", tmp_path)
    hertz = [each for _wave, each in heard(page)]
    assert hertz == sorted(set(hertz))


def test_a_page_nobody_has_touched_makes_no_sound_and_asks_for_none(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(LISTENING)
    page.goto(fair)
    expect(page.get_by_label("Email address or card")).to_be_focused()
    assert page.evaluate("window.contexts") is None
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    enter(page, b.BO)
    expect(page.locator("#verdict")).to_contain_text("Welcome, Bo!")
    assert page.evaluate("window.contexts") == 1


def test_an_answer_on_a_page_nobody_has_touched_is_silent(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(LISTENING)
    form = page.request.get(fair).text()
    token = re.search('name="csrf_token" value="([^"]+)"', form)
    assert token
    answer = page.request.post(
        f"{fair}/sessions/{b.FAIR}/check-ins",
        form={"identifier": b.ADA_SCHOOL, "csrf_token": token[1]},
        max_redirects=0,
    )
    page.goto(fair + answer.headers["location"])
    answered(page, "welcome")
    assert page.evaluate("window.contexts") is None


def test_a_real_browser_plays_every_verdict_without_complaint(
    fair: str, open_page: OpenPage, tmp_path: Path, complaints: Complaints
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    page = open_page()
    page.add_init_script(
        "const Real = AudioContext;"
        "window.AudioContext = class extends Real { constructor() { super(); window.real = this; } };"
    )
    for code in WAYS:
        bring_about(page, fair, code, "", tmp_path)
        until(page, "window.real?.state === 'running' && real.currentTime > 0")
        stand_at(tmp_path)


def test_a_muted_desk_makes_no_sound(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.add_init_script(LISTENING)
    page.goto(serve(sound=False))
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    assert heard(page) == []
    assert page.evaluate("window.contexts") is None


@pytest.mark.parametrize(
    ("written", "language", "read"),
    [
        (NEXT_STEP, "en", "Room B, first floor"),
        (NEXT_STEP, "fr", "Salle B, premier étage"),
        ({"fr": "Salle B"}, "en", "Salle B"),
    ],
)
def test_the_next_step_is_read_in_the_persons_language_or_in_the_one_there_is(
    serve: Serve, open_page: OpenPage, tmp_path: Path, written: dict[str, str], language: str, read: str
) -> None:
    b.set_up(tmp_path / "kiosk")
    stand_at(tmp_path, next_step=written)
    page = open_page()
    page.goto(f"{serve()}/?lang={language}")
    enter(page, b.ADA_SWIPE)
    step = page.locator("#verdict .next bdi")
    expect(step).to_have_text(read)
    expect(step).to_have_attribute("lang", "fr" if read in written.get("fr", "") else "en")


def test_a_session_without_a_next_step_shows_none(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve())
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    expect(page.locator("#verdict .attended")).to_contain_text("Career fair, day 1 · Autumn career fair")
    expect(page.locator("#verdict .next")).to_have_count(0)


@pytest.mark.parametrize("asked", ["", "text=large"])
@pytest.mark.parametrize("size", SIZES)
def test_names_and_next_steps_of_any_length_and_script_stay_on_the_screen(
    serve: Serve, open_page: OpenPage, tmp_path: Path, size: str, asked: str
) -> None:
    b.set_up(tmp_path / "kiosk", (LONG_NAME, ARABIC_NAME, CHINESE_NAME))
    stand_at(tmp_path, next_step={"en": "Room B on the first floor, " * 6 + "x" * 90})
    page = open_page(size)
    page.goto(f"{serve()}/?{asked}")
    for who in (LONG_NAME, ARABIC_NAME, CHINESE_NAME):
        enter(page, who.emails[0])
        expect(page.locator("#verdict .greeting")).to_have_text(f"Welcome, {who.greeting}!")
        fits(page)
        section = page.locator("#verdict [data-verdict]")
        assert section.evaluate("e => e.scrollWidth <= e.clientWidth")
        expect(page.locator("#verdict .greeting")).to_be_in_viewport()


def test_a_name_that_runs_the_other_way_leaves_the_sentence_in_order(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    enter(page, ARABIC_NAME.emails[0])
    expect(page.locator("#verdict .greeting bdi")).to_have_text(ARABIC_NAME.greeting)


@pytest.mark.parametrize(("next_step", "part"), [(NEXT_STEP, "[data-verdict]"), ({"en": "Room B. " * 60}, ".greeting")])
def test_the_verdict_is_in_sight_on_a_phone_that_was_scrolled_to_the_field(
    serve: Serve, open_page: OpenPage, tmp_path: Path, next_step: dict[str, str], part: str
) -> None:
    b.set_up(tmp_path / "kiosk")
    stand_at(tmp_path, next_step=next_step)
    page = open_page("phone")
    page.goto(f"{serve()}/?text=large")
    # All of it where it fits, else its beginning; also for whoever stands there while the answer before still does.
    for who in (b.ADA_SCHOOL, b.BO):
        page.get_by_label("Email address or card").fill(who)
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.keyboard.press("Enter")
        expect(page.locator(f"#verdict {part}")).to_be_in_viewport(ratio=0.99)


def test_a_refusal_tells_staff_a_code_and_bystanders_nothing(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    enter(page, b.CEM)
    answered(page, "see_staff")
    expect(page.locator("#verdict .code")).to_have_text("Code 31")
    assert not re.search("disabled|account|Cem", page.content())


@pytest.mark.parametrize(
    ("name", "wish"), [("Large text", "text"), ("High contrast", "contrast"), ("Read aloud", "speech")]
)
@pytest.mark.parametrize("how", ["touch", "keys"])
def test_what_a_person_asks_for_lasts_until_somebody_elses_answer(
    fair: str, open_page: OpenPage, name: str, wish: str, how: str
) -> None:
    page = open_page(has_touch=True)
    page.add_init_script(LOCAL_VOICES)
    page.goto(fair)
    button = page.get_by_role("button", name=name)
    expect(button).to_have_attribute("aria-pressed", "false")
    if how == "touch":
        button.tap()
    else:
        button.focus()
        page.keyboard.press("Enter")
    pressed(page, name)
    expect(page.locator("html")).to_have_attribute("data-wishes", wish)
    page.get_by_label("Email address or card").fill(b.ADA_SCHOOL)
    page.keyboard.press("Enter")
    expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-wishes", wish)
    pressed(page, name)
    enter(page, b.BO)
    expect(page.locator("#verdict")).to_contain_text("Welcome, Bo!")
    nothing_asked(page)


def test_all_four_settings_together_are_gone_with_the_answer(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    page.goto(serve(reset_s=0.4))
    for name in ("Large text", "High contrast", "Read aloud"):
        page.get_by_role("button", name=name).click()
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("data-wishes", "text contrast speech")
    enter(page, b.ADA_SWIPE)
    expect(page.locator("#verdict")).to_contain_text("Bienvenue, Ada")
    expect(page.locator("#verdict")).to_be_empty()
    nothing_asked(page)


def test_what_was_asked_for_is_taken_back_by_a_second_touch(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    small = float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)"))
    page.get_by_role("button", name="Large text").click()
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") >= small * 1.25
    page.get_by_role("button", name="Large text").click()
    nothing_asked(page)
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == small


def test_whoever_has_to_try_again_keeps_what_they_asked_for(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    page.get_by_role("button", name="High contrast").click()
    enter(page, b.UNKNOWN_SWIPE)
    answered(page, "not_recognised")
    pressed(page, "High contrast")
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    pressed(page, "High contrast")


def test_what_is_being_typed_stays_while_the_screen_changes(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    page.get_by_label("Email address or card").fill("ada.lov")
    page.get_by_role("button", name="High contrast").click()
    expect(page.get_by_label("Email address or card")).to_have_value("ada.lov")


@pytest.mark.parametrize("asked", ["lang=fr", "text=large", "contrast=high", "speech=on"])
def test_an_answer_stays_two_and_a_half_times_longer_for_whoever_asked_for_something(
    fair: str, open_page: OpenPage, asked: str, complaints: Complaints
) -> None:
    page = open_page()
    hold_time(page, complaints)
    page.goto(f"{fair}/?{asked}")
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    page.clock.fast_forward(145_000)
    answered(page, "welcome")
    page.clock.fast_forward(10_000)
    expect(page.locator("#verdict")).to_be_empty()
    nothing_asked(page)


def test_an_answer_stays_as_long_as_it_was_set_for_everybody_else(
    fair: str, open_page: OpenPage, complaints: Complaints
) -> None:
    page = open_page()
    hold_time(page, complaints)
    page.goto(fair)
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    page.clock.fast_forward(55_000)
    answered(page, "welcome")
    page.clock.fast_forward(10_000)
    expect(page.locator("#verdict")).to_be_empty()


def test_whoever_walked_away_leaves_neither_settings_nor_half_an_address(
    fair: str, open_page: OpenPage, complaints: Complaints
) -> None:
    page = open_page()
    hold_time(page, complaints)
    page.goto(fair)
    page.get_by_role("button", name="Large text").click()
    page.get_by_label("Email address or card").fill("ada.lov")
    # Idle is six times as long as an answer stays: 360 s, and two and a half times that for who asked for something.
    page.clock.fast_forward(890_000)
    pressed(page, "Large text")
    page.clock.fast_forward(20_000)
    nothing_asked(page)
    expect(page.get_by_label("Email address or card")).to_have_value("")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "Welcome, Ada! You are checked in. Career fair, day 1 · Autumn career fair Next: Room B, first floor",
                "en-GB",
            ],
        ),
        (
            "fr",
            [
                "Bienvenue, Ada ! Votre présence est enregistrée. Career fair, day 1 · Autumn career fair"
                " Ensuite : Salle B, premier étage",
                "fr-FR",
            ],
        ),
    ],
)
def test_the_answer_is_read_aloud_to_whoever_asked_and_to_nobody_after(
    fair: str, open_page: OpenPage, language: str, said: list[str]
) -> None:
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    page.goto(f"{fair}/?lang={language}&speech=on")
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    assert spoken(page) == [said]
    page.evaluate("said.length = 0")
    enter(page, b.BO)
    expect(page.locator("#verdict")).to_contain_text("Welcome, Bo!")
    answered(page, "welcome")
    assert page.evaluate("said[0]") == "cancel"
    assert spoken(page) == []


def test_reading_stops_when_the_answer_goes(fair: str, open_page: OpenPage, complaints: Complaints) -> None:
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    hold_time(page, complaints)
    page.goto(fair)
    page.get_by_role("button", name="Read aloud").click()
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    page.evaluate("said.length = 0")
    page.clock.fast_forward(151_000)
    expect(page.locator("#verdict")).to_be_empty()
    assert page.evaluate("said[0]") == "cancel"


def test_who_asks_while_the_answer_stands_hears_it_at_once(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    page.goto(fair)
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    assert spoken(page) == []
    page.get_by_role("button", name="Read aloud").click()
    assert [text.partition("!")[0] for text, _lang in spoken(page)] == ["Welcome, Ada"]


@pytest.mark.parametrize("voices", ["[]", '[["en-US", false], ["fr-FR", true]]'])
def test_without_a_voice_of_its_own_the_desk_offers_none_and_sends_no_name_anywhere(
    fair: str, open_page: OpenPage, voices: str
) -> None:
    page = open_page()
    page.add_init_script(VOICES % voices)
    page.goto(f"{fair}/?speech=on")
    expect(page.get_by_role("button", name="Read aloud")).to_be_hidden()
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    assert spoken(page) == []


def test_a_browser_that_cannot_speak_at_all_answers_all_the_same(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script("Object.defineProperty(window, 'speechSynthesis', { value: undefined })")
    page.goto(f"{fair}/?speech=on")
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")


def test_the_answer_before_goes_while_the_next_person_is_still_typing(
    fair: str, open_page: OpenPage, complaints: Complaints
) -> None:
    page = open_page()
    hold_time(page, complaints)
    page.goto(fair)
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    page.get_by_label("Email address or card").fill("bo.did")
    page.clock.fast_forward(61_000)
    expect(page.locator("#verdict")).to_be_empty()
    expect(page.get_by_label("Email address or card")).to_have_value("bo.did")


def test_going_back_shows_nobody(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    page.get_by_label("Email address or card").fill("bo.did")
    page.goto("about:blank")
    page.go_back()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    expect(page.locator("#verdict")).to_be_empty()
    expect(page.get_by_label("Email address or card")).to_have_value("")


def test_a_page_that_the_browser_keeps_is_kept_without_anybody(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    page.get_by_label("Email address or card").fill("bo.did")
    page.get_by_role("button", name="Large text").click()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    expect(page.locator("#verdict")).to_be_empty()
    expect(page.get_by_label("Email address or card")).to_have_value("")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    nothing_asked(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_plain_form_answers_once_and_neither_reload_nor_back_brings_the_name_again(
    fair: str, open_page: OpenPage, complaints: Complaints, javascript: bool
) -> None:
    complaints.expected = ("ERR_FAILED",)
    page = open_page(java_script_enabled=javascript)
    # With JavaScript but without htmx the form is posted as it is, too.
    page.route("**/htmx.min.js*", lambda route: route.abort())
    page.goto(fair)
    page.get_by_label("Email address or card").fill(b.ADA_SCHOOL)
    page.get_by_role("button", name="Check in").click()
    greeting = page.get_by_text("Welcome, Ada!")
    expect(greeting).to_be_visible()
    assert "ada" not in page.url.lower()
    page.reload()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    expect(greeting).to_have_count(0)
    page.goto("about:blank")
    page.go_back()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    expect(greeting).to_have_count(0)
    expect(page.get_by_label("Email address or card")).to_have_value("")


def test_nothing_is_filled_in_or_remembered_by_the_browser(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(fair)
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    for field in page.locator("input:visible, textarea:visible, select:visible").all():
        expect(field).to_have_attribute("autocomplete", "off")
        expect(field).to_have_value("")
    assert "Ada" not in page.title()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert "Ada" not in str(page.context.cookies())


def test_without_javascript_the_settings_are_a_form_and_are_carried_to_the_answer(
    serve: Serve, open_page: OpenPage, tmp_path: Path
) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page(java_script_enabled=False)
    page.goto(serve(reset_s=1))
    page.get_by_role("button", name="Large text").click()
    page.get_by_role("button", name="High contrast").click()
    pressed(page, "Large text")
    pressed(page, "High contrast")
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("data-wishes", "text contrast")
    page.locator(".ease button").first.click()
    expect(page.locator("html")).to_have_attribute("data-wishes", "contrast")
    page.locator("#identifier").fill(b.ADA_SCHOOL)
    page.get_by_role("button", name="Valider").click()
    expect(page.get_by_text("Bienvenue, Ada")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-wishes", "contrast")
    # Two and a half seconds, in whole ones; then the desk is the next person's.
    expect(page.get_by_text("Bienvenue, Ada")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-wishes", "")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_is_touched_is_large_enough_and_on_the_screen(
    fair: str, open_page: OpenPage, size: str, language: str
) -> None:
    page = open_page(size)
    page.add_init_script(LOCAL_VOICES)
    for asked in ASKED:
        page.goto(f"{fair}/?lang={language}&{asked}")
        large_enough(page)
        fits(page)
        enter(page, b.ADA_SWIPE)
        expect(page.locator("#verdict [data-verdict]")).to_be_visible()
        large_enough(page)
        fits(page)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_is_accessible_however_it_was_asked_for(
    fair: str, open_page: OpenPage, tmp_path: Path, complaints: Complaints, language: str, asked: str
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    page.goto(f"{fair}/?lang={language}&{asked}")
    accessible(page)
    for code in WAYS:
        stand_at(tmp_path)
        bring_about(page, fair, code, f"lang={language}&{asked}", tmp_path)
        accessible(page)


def test_high_contrast_is_seven_to_one_everywhere(
    fair: str, open_page: OpenPage, tmp_path: Path, complaints: Complaints
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    for code in WAYS:
        stand_at(tmp_path)
        bring_about(page, fair, code, "contrast=high", tmp_path)
        accessible(page, {"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}})


@pytest.mark.parametrize(
    "wishes",
    [{"reduced_motion": "reduce"}, {"forced_colors": "active"}, {"contrast": "more"}, {"color_scheme": "dark"}],
)
def test_what_the_device_asks_for_is_honoured(fair: str, open_page: OpenPage, wishes: dict[str, Any]) -> None:
    page = open_page(**wishes)
    page.goto(fair)
    page.get_by_role("button", name="Large text").click()
    enter(page, b.ADA_SWIPE)
    answered(page, "welcome")
    accessible(page)
    animation = page.locator("#verdict [data-verdict] > svg").evaluate("e => getComputedStyle(e).animationName")
    assert animation == ("none" if "reduced_motion" in wishes else "appear")


def test_everything_is_done_by_keyboard_alone(fair: str, open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script(LOCAL_VOICES)
    page.goto(fair)
    expect(page.get_by_label("Email address or card")).to_be_focused()
    walked = []
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        where = page.evaluate("document.activeElement.textContent.trim()")
        walked.append(where)
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or where == ""
        if where == "Large text":
            break
    assert walked[-1] == "Large text"
    assert {"High contrast", "Read aloud"} <= set(walked)
    page.keyboard.press("Space")
    pressed(page, "Large text")
    expect(page.get_by_role("button", name="Large text")).to_be_focused()
    page.keyboard.type(b.ADA_SCHOOL, delay=60)
    page.keyboard.press("Enter")
    answered(page, "welcome")
    expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-wishes", "text")


def spoken(page: Page) -> list[list[str]]:
    """What was said, and in which language."""
    return [
        [text.replace("\u202f", " "), language]
        for text, language in page.evaluate("said.filter((each) => each !== 'cancel')")
    ]


def large_enough(page: Page) -> None:
    """Every target is at least 60 px in both directions."""
    targets = page.locator("a:visible, button:visible, input:visible").all()
    assert targets
    for each in targets:
        box = each.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 60, each.inner_text()
