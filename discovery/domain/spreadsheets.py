"""Cells of CSV files. Spreadsheets run a text that looks like a formula."""

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*(?:[=+@\t\r]|-(?!-*\d+\Z))")
"""The beginning of a text that spreadsheets take for a formula, behind any number of
apostrophes. A negative whole number is none.
"""


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet runs: behind an apostrophe if it looks like a
    formula. `unescape_formula` returns the text as it was.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Return the text that `escape_formula` was given."""
    is_escaped = text.startswith("'") and _FORMULA.match(text)
    return text[1:] if is_escaped else text
