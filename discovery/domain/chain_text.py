"""Names and symbols from the chain: written by strangers, shown to operators."""

import unicodedata
from typing import Final

# Letters and marks that show nothing: a name of them looks empty.
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
# Control, format (bidi overrides and isolates among them), surrogate, private use, line and paragraph separators.
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def clean_text(text: str | None, longest: int) -> str:
    """`text` without control, bidi and other invisible characters, blanks folded, cut to `longest` characters."""
    if not text:
        return ""
    kept = "".join(
        " " if char in "\t\n\r" else char
        for char in text
        if char in "\t\n\r" or (char not in _INVISIBLE and unicodedata.category(char) not in _UNSAFE_CATEGORIES)
    )
    return " ".join(kept.split())[:longest].rstrip()
