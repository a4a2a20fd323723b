"""Names and symbols from the chain. Anybody can write them, so that they are cleaned
before operators see them.
"""

import unicodedata
from typing import Final

# Letters and marks that are drawn as nothing: a name of them looks empty.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
# Control, format (bidi overrides and isolates among them), surrogate, private use, line
# and paragraph separators.
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_BLANKS: Final = frozenset("\t\n\r")


def clean_text(text: str | None, max_length: int) -> str:
    """Return `text` without control, bidi and other invisible characters, whitespace
    folded, cut to `max_length` characters. None gives "".
    """
    if not text:
        return ""
    cleaned = "".join(filter(_is_safe, text))
    return " ".join(cleaned.split())[:max_length].rstrip()


def _is_safe(char: str) -> bool:
    """Return True for a visible character and for whitespace, which is folded later."""
    if char in _BLANKS:
        return True
    if char in _INVISIBLE:
        return False
    return unicodedata.category(char) not in _UNSAFE_CATEGORIES
