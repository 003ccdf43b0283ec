"""Rows that failed, mended and uploaded again: read as the file was that they come from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec

from hub.actions.imports import Chosen, jobs
from hub.actions.imports.jobs import Shown
from hub.errors import UnreadableFile
from hub.views import now, place
from hub.views.glances import glance
from hub.views.turns import NoTurn


def inherited(earlier: Shown | None) -> Chosen:
    """What was decided about that file, but for what depends on where things are in it."""
    if earlier is None:
        return Chosen()
    chosen = jobs.choices(earlier.row)
    # A workbook of failed rows has one sheet, under another name.
    return msgspec.structs.replace(chosen, how=msgspec.structs.replace(chosen.how, sheet=None), columns={})


def keep_columns(earlier: Shown, import_id: UUID, chosen: Chosen) -> None:
    """Take the columns of a new upload for what was chosen for those of the same names."""
    columns = jobs.choices(earlier.row).columns
    if not columns or earlier.report is None:
        return
    # What cannot be read is said where people look at it next.
    with suppress(UnreadableFile, jobs.NotNow, NoTurn):
        headers = glance(import_id).headers
        columns = by_name(columns, earlier.report.headers, headers)
        jobs.choose(place(), import_id, msgspec.structs.replace(chosen, columns=columns), now())


def by_name(columns: Mapping[int, str], before: Sequence[str], after: Sequence[str]) -> dict[int, str]:
    """What was chosen, by index, for the same headers at other places; of equal ones the first is the first again."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, header in enumerate(before):
        places[header].append(index)
    found = {index: places[header].pop(0) for index, header in enumerate(after) if places[header]}
    return {index: columns[earlier] for index, earlier in found.items() if earlier in columns}
