"""Labels and tags of wallets, as people and trading terminals write them."""

import re
from collections.abc import Iterable
from typing import Any, Final

from discovery.domain.chain_text import clean_text

MAX_LABEL_LENGTH: Final = 100
MAX_TAG_LENGTH: Final = 40
MAX_TAGS: Final = 20
"""Tags of one wallet. Further ones are dropped."""
MAX_REASON_LENGTH: Final = 200
"""Characters of the reason for which a wallet is blacklisted."""
TAG_SEPARATOR: Final = re.compile(r"[,;]")


def clean_label(text: str | None) -> str:
    """Return a label without control, bidi and invisible characters, whitespace folded,
    cut to MAX_LABEL_LENGTH characters.
    """
    return clean_text(text, MAX_LABEL_LENGTH)


def clean_tags(tags: Iterable[Any]) -> tuple[str, ...]:
    """Return the tags, each once, in their order; MAX_TAGS at most.

    A comma or a semicolon inside a tag becomes a space, because both separate tags in
    lists. Values that are no text are dropped.
    """
    texts = [tag for tag in tags if isinstance(tag, str)]
    cleaned = [
        clean_text(TAG_SEPARATOR.sub(" ", text), MAX_TAG_LENGTH) for text in texts
    ]
    return tuple(dict.fromkeys(filter(None, cleaned)))[:MAX_TAGS]


def split_tags(text: str) -> tuple[str, ...]:
    """Return the tags in a text that separates them by commas or semicolons."""
    return clean_tags(TAG_SEPARATOR.split(text))
