"""Text that a spreadsheet would take for a formula when it opens a CSV file, made harmless and back.

What is typed at a desk or comes from elsewhere must not run on the computer of whoever opens an export. Pure.
"""

import re

_LIKE_A_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠\t\r\n\0]")


def harmless(text: str) -> str:
    """The text, or the text after an apostrophe where it might run; `as_meant` takes the apostrophe off again."""
    return f"'{text}" if _LIKE_A_FORMULA.match(text) else text


def as_meant(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and _LIKE_A_FORMULA.match(text) else text
