"""Text that a spreadsheet would take for a formula when it opens a CSV file, made harmless and back.

What is typed at a desk or comes from elsewhere must not run on the computer of whoever opens an export, whatever that
computer takes for the end of a cell. Pure.
"""

import re

# Without the ends of cells: what comes after one of them is looked at by itself. With the mark that a CSV file puts
# around cells: where cells end elsewhere, it is in the middle of one and means nothing.
_LEAD = r"""(?:['"\0]|[^\S\t\r\n])*"""
_SIGNS = r"=+\-@＝＋－＠"
_AT_THE_START = re.compile(rf"{_LEAD}[{_SIGNS}\t\r\n\0]")
_END_OF_A_CELL = r"([;,|\t\r\n])"
_AFTER_AN_END = re.compile(rf"{_END_OF_A_CELL}(?={_LEAD}[{_SIGNS}])")
_MADE_HARMLESS = re.compile(rf"{_END_OF_A_CELL}'(?={_LEAD}[{_SIGNS}])")


def harmless(text: str) -> str:
    """The text with an apostrophe wherever it might run: at its start, and after whatever separates cells somewhere
    (`;`, `,`, `|`, a tab, a line break). `as_meant` takes them off again.
    """
    # To look costs a tenth of what it costs to replace nothing, and files are long.
    if _AFTER_AN_END.search(text):
        text = _AFTER_AN_END.sub(r"\1'", text)
    return f"'{text}" if _AT_THE_START.match(text) else text


def as_meant(text: str) -> str:
    """What `harmless` was given."""
    text = _MADE_HARMLESS.sub(r"\1", text)
    return text[1:] if text.startswith("'") and _AT_THE_START.match(text) else text
