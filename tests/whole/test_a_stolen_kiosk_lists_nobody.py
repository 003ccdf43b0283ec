"""Whoever carries a kiosk away finds no address, no name, no pass and no PIN in its files."""

import random
from pathlib import Path
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from kiosk import create_app
from kiosk.actions import arrivals
from kiosk.config import Config
from kiosk.views import Desk
from sync import seals
from sync.directory import Line, hint
from sync.messages import DeskLock
from tests.kiosk import builders as b
from tests.kiosk import staff
from tests.whole.searching import everything_in, folded, spoken_of

LETTERS = "bcdfghjklmnpqrstvwxz"
VOWELS = "aeiouyé"

PIN, WRONG_PIN = "Rooms-8264-Lantern", "Lantern-8264-Rooms"
SALT = bytes(16)
LOCK = DeskLock(salt=SALT, cost=10, wrapped_key=seals.wrap_key(seals.pin_key(PIN, SALT, 10), b.DIRECTORY_KEY))


def surname(chance: random.Random) -> str:
    """Eight letters or more, so that no two bytes meet by accident and look like one."""
    return "".join(chance.choice(LETTERS) + chance.choice(VOWELS) for _ in range(chance.randint(4, 6))).capitalize()


def student(chance: random.Random, number: int) -> b.Student:
    """Somebody whose names, addresses, card and pass are told from everything else in a file."""
    name = surname(chance)
    school = f"{name.lower()}.{number}@example.edu"
    return b.Student(
        name,
        (school, f"{name}{number}@home.example"),
        f"{number:09}",
        line=Line(f"{name} {surname(chance)}", surname(chance), f"{surname(chance)} year", hint(school)),
        qr_pass=f"CHK1:{chance.getrandbits(128):032X}",
        registered=(b.FAIR,),
    )


def said_of(each: b.Student) -> list[str]:
    assert each.line is not None
    assert each.qr_pass is not None
    names = [*each.line.name.split(), each.line.also, each.line.year, each.line.hint]
    return [*names, *each.emails, each.qr_pass.removeprefix("CHK1:")]


def test_no_byte_on_the_disk_says_who_anybody_is(tmp_path: Path) -> None:
    chance = random.Random(4)
    students = [student(chance, number) for number in range(5_000)]
    strangers = [f"{surname(chance)}.{n}@elsewhere.example" for n in range(60)]
    walk_ins = [(f"{surname(chance)} {surname(chance)}", f"{surname(chance)}@elsewhere.example") for _ in range(6)]
    b.set_up(tmp_path, students, LOCK)

    app = create_app(Config(data_dir=tmp_path, misses=0))
    desk: Desk = app.extensions["desk"]
    come_by_themselves(desk, students[:140], strangers, chance)
    client = app.test_client()
    work_as_staff(app, client, students[200:206], walk_ins)
    # Both while all of it is open and after: SQLite keeps a journal beside its files.
    in_use = folded(everything_in(tmp_path))
    desk.close()
    put_away = folded(everything_in(tmp_path))

    secrets = [word for each in students for word in said_of(each)]
    secrets += [*strangers, *(word for pair in walk_ins for text in pair for word in text.split()), PIN, WRONG_PIN]
    raw = [b.DIRECTORY_KEY, *(bytes.fromhex((each.qr_pass or "")[5:]) for each in students[:140])]
    for content in {in_use, put_away}:
        assert len(content) > 1_000_000
        assert spoken_of(["Example University"], content) != [], "what is no secret is found"
        assert spoken_of(secrets, content) == []
        assert [each for each in raw if folded(each) in content] == []


def come_by_themselves(desk: Desk, known: list[b.Student], strangers: list[str], chance: random.Random) -> None:
    """By address, by card and by pass; then those whom nobody knows."""
    ways = [chance.choice([*each.emails, each.qr_pass or ""]) for each in known]
    verdicts = [
        arrivals.check_in(desk.stores, b.FAIR, b.arrival(who, minute)).code
        for minute, who in enumerate(ways + strangers)
    ]
    assert verdicts == ["welcome"] * len(known) + ["noted"] * len(strangers)


def work_as_staff(app: Flask, client: FlaskClient, found: list[b.Student], walk_ins: list[tuple[str, str]]) -> None:
    """Staff unlock, search, check in, take in, paste, undo, look at what they did; somebody else tries a PIN."""
    desk: Desk = app.extensions["desk"]
    assert staff.try_pin(client, PIN).status_code == 200
    assert desk.directory.reading(patience_s=60) is not None
    for each in found:
        assert each.line is not None
        assert each.line.hint in staff.post(client, "/staff/people", q=each.line.name).text
        assert "Checked in" in staff.post(client, f"/staff/people/{each.ref}/check-in", intent_id=uuid7()).text
    for nth, (name, address) in enumerate(walk_ins):
        taken_in = staff.post(
            client, "/staff/walk-in", name=name, identifier=address if nth % 2 else "", intent_id=uuid7()
        )
        assert f"{name}</bdi>: Noted" in taken_in.text
    assert staff.post(client, "/staff/paste", pasted="\n".join(found[0].emails)).status_code == 200
    latest = staff.facts(app)[-1]
    assert isinstance(latest.id, UUID)
    assert staff.post(client, f"/staff/recent/{latest.id}/undo").status_code == 303
    assert all((each.line or Line("")).name in client.get("/staff/recent").text for each in found)
    assert staff.try_pin(app.test_client(), WRONG_PIN).status_code == 403


def test_the_search_would_have_found_one() -> None:
    for encoding in ("utf-8", "utf-16-le"):
        content = folded(b"\x00\x07" + "Élodie-LOVELACE au…ce@example.edu".encode(encoding) + b"\x00")
        assert spoken_of(["Lovelace", "Babbage!"], content) == ["lovelace"]
        assert spoken_of(["élodie-lovelace", "au…CE@example.edu"], content) == [
            "élodie-lovelace",
            "au…ce@example.edu",
        ]
