"""Batches of a list, for calls and queries that take a limited number of items."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in order, `size` at a time; the last batch may be shorter.

    `itertools.batched` needs Python 3.12.
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]
