"""Whoever carries a kiosk away finds no address and no name in its files."""

import random
from pathlib import Path

from kiosk.actions import arrivals
from kiosk.actions.arrivals import Stores
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from tests.kiosk import builders as b

LETTERS = "bcdfghjklmnpqrstvwxz"
VOWELS = "aeiouyé"


def surname(chance: random.Random) -> str:
    """Eight letters or more, so that no two bytes meet by accident and look like one."""
    return "".join(chance.choice(LETTERS) + chance.choice(VOWELS) for _ in range(chance.randint(4, 6))).capitalize()


def test_no_byte_on_the_disk_says_who_anybody_is(tmp_path: Path) -> None:
    chance = random.Random(4)
    people = [surname(chance) for _ in range(5_000)]
    students = [
        b.Student(name, (f"{name.lower()}.{n}@example.edu", f"{name}{n}@home.example"), f"{n:09}")
        for n, name in enumerate(people)
    ]
    strangers = [f"{surname(chance)}.{n}@elsewhere.example" for n in range(60)]
    b.set_up(tmp_path, students)

    journal, roster = Journal(tmp_path / "journal.sqlite"), Roster(tmp_path, b.BOOT)
    known = [chance.choice(each.emails) for each in students[:140]]
    verdicts = [
        arrivals.check_in(Stores(journal, roster), b.FAIR, b.arrival(who, minute)).code
        for minute, who in enumerate(known + strangers)
    ]
    assert verdicts == ["welcome"] * 140 + ["noted"] * 60
    # Both while the files are open and after: SQLite keeps a journal beside them.
    found = whole(tmp_path)
    journal.close()
    roster.close()

    secrets = [*people, *(mail for each in students for mail in each.emails), *strangers]
    for content in {found, whole(tmp_path)}:
        assert spoken_of(secrets, content, "utf-8", 8) == []
        assert spoken_of(secrets, content, "utf-16-le", 16) == []


def test_the_search_would_have_found_one() -> None:
    for encoding, width in (("utf-8", 8), ("utf-16-le", 16)):
        content = b"\x00\x07" + "Élodie-LOVELACE".lower().encode(encoding) + b"\x00"
        assert spoken_of(["Lovelace", "Babbage!"], content, encoding, width) == ["lovelace"]


def spoken_of(secrets: list[str], content: bytes, encoding: str, width: int) -> list[str]:
    """Which of the secrets `content` holds. Looks for their first `width` bytes, which each of them has."""
    begins: dict[bytes, list[bytes]] = {}
    for secret in secrets:
        spelt = secret.lower().encode(encoding)
        assert len(spelt) >= width
        begins.setdefault(spelt[:width], []).append(spelt)
    return [
        spelt.decode(encoding)
        for at in range(len(content) - width + 1)
        for spelt in begins.get(content[at : at + width], ())
        if content.startswith(spelt, at)
    ]


def whole(folder: Path) -> bytes:
    """Every byte of a folder, without capitals: of ASCII and of Latin letters in UTF-8 and UTF-16."""
    files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    assert sum(map(len, files)) > 1_000_000
    content = b"\0\0".join(files)
    return content.lower().replace("É".encode(), "é".encode()).replace(b"\xc9\x00", b"\xe9\x00")
