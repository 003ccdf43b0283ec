"""What somebody may upload who means no good, whose program is broken, or who just had bad luck with a spreadsheet.

Every family makes as many different files as it is asked for; the same `Random` makes the same again.
"""

from collections.abc import Iterator
from random import Random

from tests.faults import bad_rows, bad_text, bad_workbooks
from tests.faults.bad_file import BadFile, Making

FAMILIES = bad_text.FAMILIES | bad_rows.FAMILIES | bad_workbooks.FAMILIES


def bad_files(chance: Random, numbers: range) -> Iterator[BadFile]:
    """Files of every family in turn."""
    names = sorted(FAMILIES)
    for number in numbers:
        family = names[number % len(names)]
        yield FAMILIES[family](Making(family, chance, number))
