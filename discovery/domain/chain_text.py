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
    folded, cut to `max_length`.
    """
    if not text:
        return ""
    cleaned = "".join(char for char in text if char in _BLANKS or _is_visible(char))
    return " ".join(cleaned.split())[:max_length].rstrip()


def _is_visible(char: str) -> bool:
    return (
        char not in _INVISIBLE and unicodedata.category(char) not in _UNSAFE_CATEGORIES
    )
