"""Which markets a transaction touched, and who paid tips and platform fees in it."""

from collections.abc import Iterator

from discovery.decode.deltas import Deltas
from discovery.domain.known_wallets import PLATFORM_FEE_WALLETS, TIP_ACCOUNTS
from discovery.domain.programs import SYSTEM, VENUES
from discovery.providers.transactions import (
    ParsedInstruction,
    TransactionRecord,
    decode_inner,
    decode_instructions,
)

_SERVICES = TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()
_VENUE_IDS = VENUES.keys()
_BASE58 = {char: value for value, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_TRANSFER_TAG = (2).to_bytes(4, "little")  # System program: a transfer is u32le 2 + u64le lamports
_MAX_TRANSFER_LENGTH = 20  # base58 characters of these 12 bytes, with room


def venues(keys: list[str]) -> tuple[str, ...]:
    """Names of the market programs among the account keys, in key order without repeats."""
    if _VENUE_IDS.isdisjoint(keys):
        return ()
    return tuple(dict.fromkeys(VENUES[key] for key in keys if key in _VENUE_IDS))


def service_lamports(deltas: Deltas, record: TransactionRecord) -> dict[str, tuple[int, int]]:
    """What each signer paid to tip accounts and to platform fee wallets: signer -> (tip, platform fee) lamports.

    One signer paid all that these accounts gained. With several signers the system transfers tell who paid; what no
    transfer of a signer explains (a pool or router paid it out of the proceeds) is charged to nobody.
    """
    if _SERVICES.isdisjoint(deltas.keys) and _SERVICES.isdisjoint(deltas.by_owner):
        return {}
    gained: dict[str, int] = {}
    for account in _SERVICES.intersection(deltas.keys) | _SERVICES.intersection(deltas.by_owner):
        lamports = deltas.sol_lamports(account)
        if lamports > 0:
            gained[account] = lamports
    if not gained:
        return {}
    if len(deltas.signers) == 1:
        tip = sum(lamports for account, lamports in gained.items() if account in TIP_ACCOUNTS)
        return {deltas.signers[0]: (tip, sum(gained.values()) - tip)}
    paid: dict[str, tuple[int, int]] = {}
    for source, destination, lamports in _transfers(deltas.keys, record):
        if destination in gained and source in deltas.signers:
            tip, platform = paid.get(source, (0, 0))
            if destination in TIP_ACCOUNTS:
                paid[source] = (tip + lamports, platform)
            else:
                paid[source] = (tip, platform + lamports)
    return paid


def instructions_of(record: TransactionRecord) -> list[ParsedInstruction]:
    """Every instruction, the outer ones first. Raises msgspec.DecodeError."""
    instructions = list(decode_instructions(record.transaction.message.instructions) or ())
    if record.meta is not None:
        for inner in decode_inner(record.meta.inner_instructions) or ():
            instructions.extend(inner.instructions)
    return instructions


def _transfers(keys: list[str], record: TransactionRecord) -> Iterator[tuple[str, str, int]]:
    """System transfers of the transaction, outer and inner: (source, destination, lamports)."""
    for instruction in instructions_of(record):
        found = _transfer(keys, instruction)
        if found is not None:
            yield found


def _transfer(keys: list[str], instruction: ParsedInstruction) -> tuple[str, str, int] | None:
    parsed = instruction.parsed
    if isinstance(parsed, dict):
        info = parsed.get("info")
        if instruction.program_id == SYSTEM and isinstance(info, dict) and "lamports" in info and "destination" in info:
            return str(info.get("source", "")), str(info["destination"]), int(info["lamports"])
        return None
    index = instruction.program_id_index
    if index is None or keys[index] != SYSTEM or not instruction.data or len(instruction.data) > _MAX_TRANSFER_LENGTH:
        return None
    payload = base58_bytes(instruction.data)
    accounts = instruction.accounts or []
    if payload[:4] != _TRANSFER_TAG or len(accounts) < 2:
        return None
    source, destination = accounts[0], accounts[-1]
    lamports = int.from_bytes(payload[4:12], "little")
    return keys[int(source)], keys[int(destination)], lamports


def base58_bytes(text: str) -> bytes:
    """The bytes of instruction data. Raises KeyError for what is not base58."""
    number = 0
    for char in text:
        number = number * 58 + _BASE58[char]
    leading_zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * leading_zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
