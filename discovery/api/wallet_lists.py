"""The body and the response of a call that adds wallets."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from discovery import watchlist
from discovery.api.parsers import TEXT_LIST_PARSERS, JsonListParser
from discovery.api.serializers import WalletListSerializer
from discovery.api.struct_serializers import struct_serializer
from discovery.domain.wallet_labels import MAX_TAG_LENGTH, MAX_TAGS
from discovery.domain.wallet_lists import (
    MAX_ENTRIES,
    EntryResult,
    ListEntry,
    check_items,
    decode_text,
    load_json,
    parse_list,
)
from discovery.models.enums import WalletOrigin

EXAMPLE_ADDRESS: Final = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"
_TAG: Final = {"type": "string", "minLength": 1, "maxLength": MAX_TAG_LENGTH}
_ITEMS: Final = {"type": "array", "items": {}, "maxItems": MAX_ENTRIES}
_JSON_BODY: Final = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "wallets": {
                    **_ITEMS,
                    "description": "Addresses, or objects with `address`, `label` and `tags`.",
                },
                "tags": {
                    "type": "array",
                    "items": _TAG,
                    "maxItems": MAX_TAGS,
                    "description": "For every wallet of the list.",
                },
                "profile": {
                    "type": "boolean",
                    "default": True,
                    "description": "Whether the wallets that are added are profiled at once.",
                },
            },
            "required": ["wallets"],
            "additionalProperties": False,
        },
        {**_ITEMS, "description": "The JSON export of a terminal."},
    ]
}
_TEXT_BODY: Final = {"description": "The text of a list; its shape is recognised."}
LIST_BODIES: Final[dict[str, Any]] = {
    str(JsonListParser.media_type): _JSON_BODY,
    **{str(parser.media_type): _TEXT_BODY for parser in TEXT_LIST_PARSERS},
}
"""Media type → the form of the body, for the description of the API."""


class ReceivedList(msgspec.Struct, frozen=True):
    """A list of wallets that a client sent."""

    entries: list[ListEntry]
    origin: WalletOrigin
    tags: tuple[str, ...] = ()
    profile: bool = True


class AddedCounts(msgspec.Struct, frozen=True):
    """Number of entries by result."""

    added: int
    known: int
    invalid: int
    not_a_wallet: int
    duplicate: int


class AddedWallets(msgspec.Struct, frozen=True):
    """What became of a list of wallets."""

    addition_id: Annotated[
        str | None,
        Meta(
            description="Under `additions/` it shows how many are profiled; null if nothing was added."
        ),
    ]
    counts: AddedCounts
    profiles_requested: int
    results: Annotated[
        list[watchlist.EntryAnswer], Meta(description="One for each entry, in order.")
    ]


AddedWalletsSerializer: Final = struct_serializer(AddedWallets)


def wallet_list_of(body: Any, content_type: str) -> ReceivedList:
    """Return the list in the body of a call.

    body: bytes, or another value if the body is empty. Raises ListError, ListTooLarge,
    and ValidationError for an object with wrong fields.
    """
    source = body if isinstance(body, bytes) else b""
    if content_type.split(";", maxsplit=1)[0].strip() != JsonListParser.media_type:
        return ReceivedList(parse_list(source), WalletOrigin.IMPORT)
    value = load_json(decode_text(source))
    if isinstance(value, list):
        return ReceivedList(check_items(value), WalletOrigin.IMPORT)
    serializer = WalletListSerializer(data=value)
    serializer.is_valid(raise_exception=True)
    values = serializer.validated_data
    return ReceivedList(
        entries=check_items(values["wallets"]),
        origin=WalletOrigin.MANUAL,
        tags=tuple(values.get("tags", ())),
        profile=values["profile"],
    )


def added_wallets(addition: watchlist.Addition) -> AddedWallets:
    """Return the response."""
    counts = {str(result): addition.counts[result] for result in EntryResult}
    return AddedWallets(
        addition_id=addition.id,
        counts=AddedCounts(**counts),
        profiles_requested=addition.profiles_requested,
        results=addition.answers,
    )
