"""Text that is no table, or not in the encoding or with the separators that anybody would think of."""

import struct

from tests.faults.bad_file import DOMAIN, STUDENTS, BadFile, Family, Making, among, collected, csv_file, text
from tests.naughty import STRINGS

FAMILIES: dict[str, Family] = {}
family = collected(FAMILIES)


@family
def nothing(make: Making) -> BadFile:
    data = make.chance.choice(
        [b"", b"\xef\xbb\xbf", b"\r\n" * 50, b" ", b",,,,\r\n,,,,\r\n", b"\xff\xfe", b'""', b"\t\t"]
    )
    return csv_file(make, data, refused=True)


@family
def only_a_header(make: Making) -> BadFile:
    return csv_file(make, ",".join(STUDENTS) + make.chance.choice(["", "\n", "\r", "\r\n\r\n"]))


@family
def random_bytes(make: Making) -> BadFile:
    name = f"random-{make.number}.{make.chance.choice(['csv', 'xlsx', 'ods', 'txt', 'tsv'])}"
    return BadFile(make.family, name, make.chance.randbytes(make.chance.randrange(1, 5_000)), refused=True)


@family
def random_marks(make: Making) -> BadFile:
    """Nothing but what has a meaning in a CSV file."""
    body = "".join(make.chance.choices("\",;\t|\r\n'\\a\ufeff=é", k=make.chance.randrange(1, 3_000)))
    return csv_file(make, f"{','.join(STUDENTS)}\n{body}")


@family
def nul(make: Making) -> BadFile:
    rows = text(make.students())
    at = make.chance.randrange(len(rows))
    return csv_file(make, rows[:at] + "\0" + rows[at:], refused=True, place="line")


@family
def unclosed_quote(make: Making) -> BadFile:
    rows = text(make.students(6)).splitlines(keepends=True)
    rows[make.chance.randrange(1, 6)] = 'x,"good-x@example.edu,Ada\r\n'
    return csv_file(make, "".join(rows), refused=True, place="line")


@family
def endless_quote(make: Making) -> BadFile:
    body = 'x,"' + "Ada, " * make.chance.randrange(250_000, 300_000)
    return csv_file(make, f"{','.join(STUDENTS)}\n{body}", refused=True, place="line")


@family
def quote_in_the_middle(make: Making) -> BadFile:
    bad = make.chance.choice(['"Ada" Byron', 'Ada "the" Byron', '"Ada"" Byron', '"Ada"x'])
    rows = text(make.students()) + f"q-{make.number},q-{make.number}@{DOMAIN},{bad},B,,\r\n"
    return csv_file(make, rows)


@family
def long_field(make: Making) -> BadFile:
    row = list(make.student(9))
    row[make.chance.randrange(len(row))] = make.chance.choice("aé,\"'= ") * 200_000
    return csv_file(make, text(among(make, row, make.number)), refused=True, place="line")


@family
def rather_long_field(make: Making) -> BadFile:
    row = list(make.student(9))
    row[make.chance.randrange(5)] = make.chance.choice("aé9") * make.chance.randrange(400, 100_000)
    return csv_file(make, text(among(make, row, make.number)), good=make.good())


@family
def many_columns(make: Making) -> BadFile:
    count = make.chance.randrange(1_000, 3_000)
    header = [*STUDENTS, *(f"c{index}" for index in range(count))]
    return csv_file(make, text([header, ["x"] * len(header)]), refused=True)


@family
def long_header(make: Making) -> BadFile:
    header = [*STUDENTS, make.chance.choice(["h", "é", "=", "h "]) * make.chance.randrange(1_000, 60_000) + "."]
    return csv_file(make, text([header, *([*row, ""] for row in make.students()[1:])]), good=make.good())


@family
def ragged(make: Making) -> BadFile:
    row = [*make.student(9), *"abcdefgh"][: make.chance.choice([1, 2, 3, 4, 5, 7, 8, 12])]
    return csv_file(make, text(among(make, row, make.number)), good=make.good())


@family
def headers_gone_wrong(make: Making) -> BadFile:
    header = list(STUDENTS)
    match make.chance.randrange(5):
        case 0:
            header[make.chance.randrange(2, 6)] = header[0]
        case 1:
            header = [name.upper() for name in header[::-1]]
        case 2:
            header = ["", *header[1:]]
        case 3:
            header = [f"  {name}\u00a0" for name in header]
        case _:
            header = [make.chance.choice(STRINGS).replace("\0", "") for _ in header]
    return csv_file(make, text([header, *make.students()[1:]]).encode("utf-8", "surrogatepass"))


@family
def odd_separators(make: Making) -> BadFile:
    delimiter = make.chance.choice(":~^_ \x1f/")
    return csv_file(make, text(make.students(), delimiter), refused=True)


@family
def mixed_separators(make: Making) -> BadFile:
    lines = [text([row], make.chance.choice(",;\t|")) for row in make.students(8)]
    return csv_file(make, "".join(lines))


@family
def mixed_line_ends(make: Making) -> BadFile:
    lines = [text([row], end=make.chance.choice(["\r", "\n", "\r\n", "\n\n", "\r\r\n"])) for row in make.students(5)]
    return csv_file(make, "".join(lines))


@family
def mixed_encodings(make: Making) -> BadFile:
    names = make.chance.choices(["Zoé", "Noël", "Łukasz", "Dvořáčková", "İpek", "Ng", "Владимир", "山田"], k=6)
    lines = []
    for index, name in enumerate(names):
        line = text([[f"m-{make.number}-{index}", f"m-{make.number}-{index}@{DOMAIN}", name, "B", "", ""]])
        lines.append(
            line.encode(make.chance.choice(["utf-8", "cp1252", "mac_roman", "iso-8859-2", "cp1251"]), "replace")
        )
    return csv_file(make, text([STUDENTS]).encode() + b"".join(lines))


@family
def other_encodings(make: Making) -> BadFile:
    rows = make.students()
    rows[1] = [*rows[1][:2], "Zoë", *rows[1][3:]]
    encoding = make.chance.choice(["utf-32", "utf-32-be", "utf-7", "cp500", "utf-16-be", "utf-16-le", "cp437", "hz"])
    return csv_file(make, text(rows).encode(encoding, "replace"))


@family
def torn_utf_16(make: Making) -> BadFile:
    raw = bytearray(text(make.students()).encode("utf-16"))
    at = make.chance.randrange(2, len(raw))
    match make.chance.randrange(3):
        case 0:
            del raw[at]
        case 1:
            raw[at // 2 * 2 : at // 2 * 2] = struct.pack("<H", make.chance.randrange(0xD800, 0xE000))
        case _:
            del raw[-1]
    return csv_file(make, bytes(raw))


@family
def torn_utf_8(make: Making) -> BadFile:
    raw = bytearray(text(make.students()).encode())
    at = make.chance.randrange(len(raw))
    bad = make.chance.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\x80\x81\x8d"])
    raw[at:at] = bad
    return csv_file(make, bytes(raw))


@family
def marks_in_the_middle(make: Making) -> BadFile:
    rows = [list(row) for row in make.students()]
    row = make.chance.choice(rows)
    row[make.chance.randrange(len(row))] += "\ufeff"
    return csv_file(make, "\ufeff\ufeff" + text(rows))
