"""The attendee file of an event that is over: what its columns mean and what each row comes to. Pure.

Two steps for each row. `rows.read_row` needs the row alone: cells become values, or problems. `plan` sets it beside
what is known: which session it means (`occasions`), whose its address is, and what is stored of them there.
"""

from hub.rules.attendee_file.codes import CODES, FLAGS, KEPT, REASONS, WARNINGS

__all__ = ["CODES", "FLAGS", "KEPT", "REASONS", "WARNINGS"]
