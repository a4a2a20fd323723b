"""Lists of wallets in the shapes that trading terminals import.

The keys are those of public exports of the terminals, 2026. `wallet_lists.parse_list`
reads every shape that is written here, and returns the same addresses, labels and (from
Axiom's shape) tags.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from discovery.domain.display import short_address
from discovery.domain.wallet_labels import clean_label


class ExportedWallet(msgspec.Struct, frozen=True):
    """What a list says about a wallet."""

    address: str
    label: str = ""
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The label, or the short address: terminals show the name alone."""
        return clean_label(self.label) or short_address(self.address)


def _axiom(wallet: ExportedWallet) -> dict[str, Any]:
    # Its trades appear in the feed; pop-ups for a whole list would be noise.
    return {
        "trackedWalletAddress": wallet.address,
        "name": wallet.name,
        "emoji": "",
        "alertsOnToast": False,
        "alertsOnBubble": False,
        "alertsOnFeed": True,
        "groups": list(wallet.tags),
        "sound": "default",
    }


def _padre(wallet: ExportedWallet) -> dict[str, Any]:
    return {
        "trackedWalletAddress": wallet.address,
        "name": wallet.name,
        "emoji": "",
        "alertsOn": True,
    }


def _name_address(wallet: ExportedWallet) -> dict[str, Any]:
    return {"name": wallet.name, "address": wallet.address, "emoji": ""}


TERMINALS: Final[Mapping[str, Callable[[ExportedWallet], dict[str, Any]]]] = {
    "axiom": _axiom,
    "padre": _padre,
    "bullx": _name_address,
    "gmgn": _name_address,
    "okx": _name_address,
}
"""Terminal → function that returns a wallet as an object of its JSON array."""
PLAIN_FORMAT: Final = "txt"
LIST_FORMATS: Final = (*TERMINALS, PLAIN_FORMAT)


def list_lines(wallets: Iterable[ExportedWallet], list_format: str) -> Iterator[str]:
    """Yield the text of a list in one of LIST_FORMATS, piece by piece.

    Raises KeyError for another format.
    """
    if list_format == PLAIN_FORMAT:
        return map(_plain_line, wallets)
    return _array_lines(map(TERMINALS[list_format], wallets))


def _array_lines(items: Iterable[dict[str, Any]]) -> Iterator[str]:
    before = "[\n"
    for item in items:
        yield before + json.dumps(item, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _plain_line(wallet: ExportedWallet) -> str:
    label = clean_label(wallet.label)
    if not label:
        return f"{wallet.address}\n"
    if len(label) > 1 and label.startswith('"') and label.endswith('"'):
        doubled = label.replace('"', '""')
        label = f'"{doubled}"'
    return f"{wallet.address},{label}\n"
