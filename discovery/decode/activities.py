"""What programs did for a wallet beside swapping: loans, liquidity, orders.

Balances alone cannot tell a loan or a withdrawal from a pool from a trade: in all of
them units go one way and a quote the other. The instruction decides.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from discovery.decode.instructions import Call, Calls
from discovery.domain.base58 import base58_bytes
from discovery.domain.programs import (
    LENDERS,
    ORDER_BOOKS,
    PLAIN_PROGRAMS,
    ROUTERS,
    VENUES,
)
from discovery.domain.reasons import Reason

_DISCRIMINATOR_BYTES: Final = 8
_MAX_DATA: Final = 2_000  # base58 characters; liquidity by bins has an entry per bin


def _anchor(*names: str) -> frozenset[bytes]:
    """Return the discriminators of instructions of an Anchor program: the first 8 bytes
    of sha256("global:<name>").
    """
    digests = (sha256(f"global:{name}".encode()).digest() for name in names)
    return frozenset(digest[:_DISCRIMINATOR_BYTES] for digest in digests)


# Names of instructions: the public IDLs of the programs, 2026.
_CONCENTRATED: Final = _anchor(
    "increase_liquidity",
    "increase_liquidity_v2",
    "decrease_liquidity",
    "decrease_liquidity_v2",
    "collect_fees",
    "collect_fees_v2",
    "open_position",
    "open_position_v2",
    "open_position_with_token22_nft",
)
_CONSTANT_PRODUCT: Final = _anchor("deposit", "withdraw")
_LIQUIDITY_OF_VENUE: Final[dict[str, frozenset[bytes]]] = {
    "meteora_dlmm": _anchor(
        "add_liquidity",
        "add_liquidity2",
        "add_liquidity_by_weight",
        "add_liquidity_by_strategy",
        "add_liquidity_by_strategy2",
        "add_liquidity_by_strategy_one_side",
        "add_liquidity_one_side",
        "add_liquidity_one_side_precise",
        "add_liquidity_one_side_precise2",
        "remove_liquidity",
        "remove_liquidity2",
        "remove_liquidity_by_range",
        "remove_liquidity_by_range2",
        "remove_all_liquidity",
        "rebalance_liquidity",
        "claim_fee",
        "claim_fee2",
    ),
    "meteora_damm_v1": _anchor(
        "add_balance_liquidity",
        "add_imbalance_liquidity",
        "bootstrap_liquidity",
        "remove_balance_liquidity",
        "remove_liquidity_single_side",
    ),
    "meteora_damm_v2": _anchor(
        "add_liquidity",
        "remove_liquidity",
        "remove_all_liquidity",
        "claim_position_fee",
    ),
    "raydium_clmm": _CONCENTRATED,
    "orca_whirlpool": _CONCENTRATED,
    "raydium_cpmm": _CONSTANT_PRODUCT,
    "pumpswap": _CONSTANT_PRODUCT,
    # One byte is the tag: Deposit, Withdraw.
    "raydium_v4": frozenset({b"\3", b"\4"}),
}
_POOLS: Final = frozenset(
    program for program, venue in VENUES.items() if venue in _LIQUIDITY_OF_VENUE
)
_TAG_BYTES: Final = {"raydium_v4": 1}

# A flash loan is repaid in the same transaction: what else happens there counts.
_FLASH_LOANS: Final = _anchor(
    "flash_borrow_reserve_liquidity", "flash_repay_reserve_liquidity"
)


_WITHOUT_PROGRAM: Final = frozenset(
    {Reason.TRANSFER, Reason.MINTED, Reason.BURNED, Reason.NFT, Reason.LIQUIDITY}
)
"""Reasons that balances give alike for whatever program moved the units."""

_OF_ORDERS: Final = frozenset({Reason.TRANSFER, Reason.LIQUIDITY})

_LENDERS: Final = frozenset(LENDERS)
_ORDER_BOOKS: Final = frozenset(ORDER_BOOKS)
_SWAPPERS: Final = PLAIN_PROGRAMS.union(ROUTERS, VENUES)
_KNOWN: Final = frozenset({*LENDERS, *ORDER_BOOKS, *_POOLS})


class Activities:
    """Activities of the programs of one transaction for its wallets."""

    __slots__ = ("_calls", "_programs")

    def __init__(self, calls: Calls, known_keys: Iterable[str]) -> None:
        self._calls = calls
        self._programs = _KNOWN.intersection(known_keys)

    def reason_of_no_trade(self, wallet: str) -> Reason | None:
        """Return LOAN or LIQUIDITY if the wallet's changes belong to one, else None.

        Raises msgspec.DecodeError, IndexError or KeyError if the instructions make no
        sense.
        """
        if not self._programs:
            return None
        if self._has_loan(wallet):
            return Reason.LOAN
        if self._has_liquidity(wallet):
            return Reason.LIQUIDITY
        return None

    def reason_of_change(
        self, wallet: str, reason: Reason, *, is_outflow: bool
    ) -> Reason:
        """Return the reason of changes that are no trade: that of the program if one is
        known, else the `reason` that the balances give.

        is_outflow: the wallet lost units. Units that an order program took wait there.
        """
        if not self._programs or reason not in _WITHOUT_PROGRAM:
            return reason
        if self._has_loan(wallet):
            return Reason.LOAN
        may_be_order = reason in _OF_ORDERS and not self._programs.isdisjoint(
            _ORDER_BOOKS
        )
        if reason == Reason.LIQUIDITY and not may_be_order:
            return reason
        if self._has_liquidity(wallet):
            return Reason.LIQUIDITY
        if may_be_order and self._has_order(wallet):
            return Reason.ORDER_OPEN if is_outflow else Reason.ORDER_CLOSED
        return reason

    def _has_order(self, wallet: str) -> bool:
        """Return True if an order program was called for the wallet."""
        calls = self._calls.all(_ORDER_BOOKS, wallet)
        return next(calls, None) is not None

    def _has_loan(self, wallet: str) -> bool:
        if self._programs.isdisjoint(_LENDERS):
            return False
        for call in self._calls.all(_LENDERS, wallet):
            is_flash = _discriminator(call) in _FLASH_LOANS
            if wallet in call.accounts and not is_flash:
                return True
        return False

    def _has_liquidity(self, wallet: str) -> bool:
        if self._programs.isdisjoint(_POOLS):
            return False
        for call in self._pool_calls(wallet):
            if not call.accounts:
                continue
            venue = VENUES[call.program]
            length = _TAG_BYTES.get(venue, _DISCRIMINATOR_BYTES)
            if _discriminator(call, length) in _LIQUIDITY_OF_VENUE[venue]:
                return True
        return False

    def _pool_calls(self, wallet: str) -> Iterator[Call]:
        """Yield the calls of pools that may name the wallet.

        What routers and venues invoke in turn is a swap: only other programs may move
        liquidity for a wallet.
        """
        if self._calls.top_level_programs() <= _SWAPPERS:
            return self._calls.top_level(_POOLS, wallet)
        return self._calls.all(_POOLS, wallet)


def _discriminator(call: Call, length: int = _DISCRIMINATOR_BYTES) -> bytes:
    """Return the first bytes of the data, which name the instruction."""
    data = call.data or ""
    if len(data) > _MAX_DATA:
        return b""
    return base58_bytes(data)[:length]
