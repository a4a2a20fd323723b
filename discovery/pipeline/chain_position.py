"""The order of transactions in one history."""

from typing import NamedTuple


class ChainPosition(NamedTuple):
    """The order of one wallet's transactions. `list_index` counts within the list with
    that number.
    """

    slot: int
    list_number: int
    list_index: int
    signature: str
