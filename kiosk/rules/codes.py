"""Short codes for why nothing was recorded: students read out two digits, staff look up what they mean.

A code, once given, keeps its meaning: printed instructions name it.
"""

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, int] = MappingProxyType(
    {
        # What came in
        "empty": 10,
        "unknown_card": 11,
        "unknown_pass": 12,
        "not_an_address": 13,
        "too_long": 14,
        "control_characters": 15,
        # Who came, and to what
        "not_enrolled": 30,
        "disabled": 31,
        "not_on_list": 32,
        "wrong_session": 33,
        "not_open_yet": 34,
        "closed": 35,
        "too_many_misses": 37,
        "unknown_session": 38,
        "withdrawn": 39,
        # This device
        "no_answer": 50,
        "page_expired": 51,
        "disk_full": 52,
        "disk_error": 53,
        "read_only": 54,
        "cannot_open": 55,
        "busy": 56,
        "store_damaged": 57,
        "store_too_new": 58,
    }
)
"""From a verdict's reason to its code: 1x what came in, 3x who came, 5x this device."""

OTHER = 99
"""The code of a reason that has none of its own."""


def code_of(reason: str) -> int:
    """The two digits for a verdict's reason."""
    return CODES.get(reason, OTHER)
