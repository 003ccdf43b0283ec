"""What a workbook's cell says, as text: what somebody would type to get that cell."""

import math
from datetime import date, datetime, time, timedelta

Value = str | int | float | bool | date | datetime | time | timedelta

_EXACT = 10**15
"""From here on a whole number has more digits than Excel keeps, and than a float tells apart."""


def text_of(value: Value) -> str:
    """Numbers without a needless `.0`, `TRUE` and `FALSE`, dates as `yyyy-mm-dd`, times and durations as `hh:mm:ss`."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case timedelta():
            return _duration(value)
        case time():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
    return str(value)


def is_inexact(value: Value) -> bool:
    """Whether digits may have been lost: a number that stands for somebody has to be text in a workbook."""
    return isinstance(value, int | float) and math.fabs(value) >= _EXACT


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"
