"""`getTransaction` results as typed records with only the fields that decoding needs.

Wire: Solana JSON-RPC `getTransaction` with encoding `json`, `jsonParsed`, `base64` or
`base58`, message versions legacy, 0 and 1 (bytes: legacy and 0); Helius
`getTransactionsForAddress` full rows are the same plus `transactionIndex`.
"""

import base64
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Raw, Struct
from solders.transaction import VersionedTransaction

from discovery.domain.base58 import base58_bytes, base58_text

# The bounds of the chain: a value beyond them is invalid, and would not fit its column
# either.
Lamports = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Amount = Annotated[
    str, msgspec.Meta(min_length=1, max_length=20)
]  # digits; `Deltas` refuses a sign
Signature = Annotated[str, msgspec.Meta(max_length=90)]
Index = Annotated[int, msgspec.Meta(ge=0)]


class TokenAmount(Struct, frozen=True, gc=False):
    """`uiTokenAmount`: only the raw amount is read, servers render the other fields
    differently.
    """

    amount: Amount
    decimals: Annotated[int, msgspec.Meta(ge=0, le=255)]


class TokenBalance(Struct, frozen=True, gc=False, rename="camel"):
    """One token account before or after the transaction. `owner` is absent before slot
    111,491,819.
    """

    account_index: Index
    mint: str
    ui_token_amount: TokenAmount
    owner: str | None = None
    program_id: str | None = None


class LoadedAddresses(Struct, frozen=True, gc=False):
    """Keys from lookup tables, in balance order after the static keys. Absent with
    `jsonParsed`.
    """

    writable: list[str] = []
    readonly: list[str] = []


class Meta(Struct, frozen=True, gc=False, rename="camel"):
    """Outcome and balances; lamports by account index."""

    fee: Lamports
    pre_balances: list[Lamports]
    post_balances: list[Lamports]
    err: object = None
    pre_token_balances: list[TokenBalance] | None = None
    post_token_balances: list[TokenBalance] | None = None
    loaded_addresses: LoadedAddresses | None = None
    # Decoded only where balances do not say enough.
    inner_instructions: Raw = Raw(b"null")


class ParsedKey(Struct, frozen=True, gc=False):
    """An account key in the `jsonParsed` encoding."""

    pubkey: str
    signer: bool = False


class Header(Struct, frozen=True, gc=False, rename="camel"):
    """Message header: the first `num_required_signatures` keys signed."""

    num_required_signatures: int


class Message(Struct, frozen=True, gc=False, rename="camel"):
    """Static keys (merged keys with `jsonParsed`) and the undecoded instructions."""

    account_keys: list[str | ParsedKey]
    header: Header | None = None
    instructions: Raw = Raw(b"null")


class Envelope(Struct, frozen=True, gc=False):
    """Signatures and message; the first signature identifies the transaction."""

    signatures: list[Signature]
    message: Message


class TransactionRecord(Struct, frozen=True, gc=False, rename="camel"):
    """One transaction. `block_time` (unix seconds) and `slot` are null in some captures
    and on fresh slots.
    """

    transaction: Envelope
    meta: Meta | None = None
    slot: int | None = None
    block_time: int | None = None
    transaction_index: int | None = None

    @property
    def signature(self) -> str:
        """The first signature, which identifies the transaction.

        The clients of this package reject a transaction without one.
        """
        return self.transaction.signatures[0]

    @property
    def pre_token_balances(self) -> list[TokenBalance]:
        """Token balances before the transaction, none without meta."""
        if self.meta is None:
            return []
        return self.meta.pre_token_balances or []

    @property
    def post_token_balances(self) -> list[TokenBalance]:
        """The token balances after the transaction, empty if the node sent none."""
        if self.meta is None:
            return []
        return self.meta.post_token_balances or []

    @property
    def account_keys(self) -> list[str]:
        """The static account keys in the order of the message; with `jsonParsed` all
        keys, those of lookup tables too.
        """
        keys = self.transaction.message.account_keys
        return [key.pubkey if isinstance(key, ParsedKey) else key for key in keys]

    @property
    def fee_payer(self) -> str | None:
        """The first account key, which pays the fee by Solana's rules; None in a record
        without keys.
        """
        return next(iter(self.account_keys), None)


class ParsedInstruction(Struct, frozen=True, gc=False, rename="camel"):
    """One instruction of either encoding; `parsed` only with `jsonParsed`.

    `accounts` are indexes of the account keys, with `jsonParsed` addresses. Streams of
    blocks (Geyser) give the indexes as bytes in base58.
    """

    program_id_index: int | None = None
    program_id: str | None = None
    # Decoded only for the instructions that are looked at.
    accounts: Raw = Raw(b"null")
    data: str | None = None
    parsed: object = None


class InnerInstructions(Struct, frozen=True, gc=False):
    """The instructions that one outer instruction invoked."""

    index: int
    instructions: list[ParsedInstruction]


_BYTES_OF_ENCODING: Final[dict[str, Callable[[str], bytes]]] = {
    "base64": base64.b64decode,
    "base58": base58_bytes,
}


class _EncodedRecord(Struct, frozen=True, gc=False, rename="camel"):
    """A result whose message is bytes in base64 or base58; the rest is as with `json`."""

    transaction: tuple[str, str]
    meta: Meta | None = None
    slot: int | None = None
    block_time: int | None = None
    transaction_index: int | None = None


_decode_record = msgspec.json.Decoder(TransactionRecord).decode
_decode_encoded = msgspec.json.Decoder(_EncodedRecord).decode


def decode_record(raw: bytes) -> TransactionRecord:
    """Return the record of one result, of any encoding.

    Raises msgspec.DecodeError, ValidationError for a wrong shape.
    """
    try:
        return _decode_record(raw)
    except msgspec.ValidationError:
        try:
            encoded = _decode_encoded(raw)
        except msgspec.DecodeError:
            encoded = None
        if encoded is None:
            raise
    return _from_bytes(encoded)


def _from_bytes(encoded: _EncodedRecord) -> TransactionRecord:
    """Return the record of a message in bytes. Raises msgspec.ValidationError if they
    are no transaction, or if they are in another encoding.
    """
    text, encoding = encoded.transaction
    to_bytes = _BYTES_OF_ENCODING.get(encoding)
    if to_bytes is None:
        known = ", ".join(("json", "jsonParsed", *_BYTES_OF_ENCODING))
        raise msgspec.ValidationError(
            f"encoding {encoding[:20]!r} is not supported; known: {known}"
        )
    try:
        transaction = VersionedTransaction.from_bytes(to_bytes(text))
    except (ValueError, KeyError) as error:
        raise msgspec.ValidationError(f"no transaction in {encoding}") from error
    message = transaction.message
    instructions = [
        ParsedInstruction(
            program_id_index=instruction.program_id_index,
            accounts=Raw(msgspec.json.encode([*instruction.accounts])),
            data=base58_text(instruction.data),
        )
        for instruction in message.instructions
    ]
    return TransactionRecord(
        transaction=Envelope(
            signatures=[str(signature) for signature in transaction.signatures],
            message=Message(
                account_keys=[str(key) for key in message.account_keys],
                header=Header(message.header.num_required_signatures),
                instructions=Raw(msgspec.json.encode(instructions)),
            ),
        ),
        meta=encoded.meta,
        slot=encoded.slot,
        block_time=encoded.block_time,
        transaction_index=encoded.transaction_index,
    )


decode_accounts = msgspec.json.Decoder(list[int | str] | str | None).decode
decode_instructions = msgspec.json.Decoder(list[ParsedInstruction] | None).decode
decode_inner = msgspec.json.Decoder(list[InnerInstructions] | None).decode
