"""Save what a run learned of one token. Saving twice is harmless: unique constraints
give every fact its identity.
"""

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from discovery.domain.findings import EarlyBuyer
from discovery.domain.times import datetime_from_unix
from discovery.domain.units import (
    fraction_to_decimal,
    round_half_even,
    round_if_known,
)
from discovery.models import Position, RunToken, RunWallet, Wallet
from discovery.models.enums import WalletOrigin, WalletStatus
from discovery.pipeline.analyse_token import TokenAnalysis
from discovery.pipeline.late_reserves import save_late_reserves
from discovery.pipeline.save_flags import add_wallet_flags
from discovery.pipeline.save_trades import BATCH, save_balance_changes, save_trades
from walltrack import clock

ROW_VERSION: Final = 1
_UNKNOWN_COUNTS: Final = {"early_buyers": None, "qualified": None, "transactions": None}
_MAX_PCT: Final = Decimal(10) ** 17
_POSITION_KEY: Final = ("wallet_address", "mint")
_POSITION_COLUMNS: Final = (
    "first_buy_at",
    "last_trade_at",
    "entry_rank",
    "entry_seconds",
    "buys",
    "sells",
    "cost_lamports",
    "realised_lamports",
    "unmatched_lamports",
    "profit_pct",
    "held_units",
    "knowledge",
    "unknown_reason",
    "known_share",
    "has_moved_out",
    "later_cycles",
    "history_incomplete",
    "rejection",
    "flags",
)


def token_counts(result: TokenAnalysis) -> dict[str, int]:
    """Return the counts of a token, for its step and its row."""
    return {
        "early_buyers": len(result.buyers),
        "qualified": len(_qualified(result)),
        "transactions": result.transactions,
    }


def save_token(run_id: uuid.UUID, result: TokenAnalysis) -> None:
    """Save wallets, flags, trades and positions of one token. Called inside a
    transaction.
    """
    # Wallets before trades, as a profile does it: two orders would wait for each other.
    _save_wallets(run_id, _qualified(result))
    _save_flags(result.buyers)
    save_trades(result.trades)
    save_late_reserves(result.late)
    save_balance_changes(result.other_changes)
    _save_positions(run_id, result.buyers)
    RunToken.objects.filter(run_id=run_id, mint=result.candidate.mint).update(
        launched_at=datetime_from_unix(result.launched_at),
        launch_clock=result.launch_clock,
        funnel=result.funnel,
        creator=result.creator,
        window_read_until=datetime_from_unix(result.read_until),
        **(token_counts(result) if result.is_known else _UNKNOWN_COUNTS),
    )


def _qualified(result: TokenAnalysis) -> list[EarlyBuyer]:
    return [buyer for buyer in result.buyers if buyer.qualified]


def _save_positions(run_id: uuid.UUID, buyers: Iterable[EarlyBuyer]) -> None:
    rows = [Position(run_id=run_id, **_position_values(buyer)) for buyer in buyers]
    if not rows:
        return
    rows.sort(key=lambda row: row.wallet_address)
    Position.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=list(_POSITION_KEY),
        update_fields=["run", "updated_at", *_POSITION_COLUMNS],
    )


def _position_values(buyer: EarlyBuyer) -> dict[str, Any]:
    """Return an early buyer's position as columns, rounded half-even here and nowhere
    before.
    """
    position = buyer.position
    return {
        "wallet_address": buyer.wallet,
        "mint": buyer.mint,
        "first_buy_at": datetime_from_unix(buyer.first_buy_time),
        "last_trade_at": datetime_from_unix(position.last_trade_time),
        "entry_rank": buyer.entry_rank,
        "entry_seconds": buyer.entry_seconds,
        "buys": position.buys,
        "sells": position.sells,
        "cost_lamports": round_half_even(position.cost_basis_lamports),
        "realised_lamports": round_if_known(position.realised_lamports),
        "unmatched_lamports": round_half_even(position.unmatched_proceeds_lamports),
        "profit_pct": storable_profit_pct(buyer),
        "held_units": round_half_even(position.held_units),
        "knowledge": position.knowledge,
        "unknown_reason": position.unknown_reason,
        "known_share": fraction_to_decimal(position.known_share, 4),
        "has_moved_out": position.has_moved_out,
        "later_cycles": position.later_cycles,
        "history_incomplete": position.history_incomplete,
        "rejection": buyer.rejection,
        "flags": list(buyer.flags),
    }


def storable_profit_pct(buyer: EarlyBuyer) -> Decimal | None:
    """Return the profit in percent with two digits, None if nothing was put in. Values
    past numeric(20,2) are cut.
    """
    exact = buyer.position.profit_pct
    if exact is None:
        return None
    return min(fraction_to_decimal(exact, 2), _MAX_PCT)


def _save_flags(buyers: Iterable[EarlyBuyer]) -> None:
    """Save what the token says of wallets on the watchlist, qualified here or not: a
    creator stays one elsewhere.
    """
    add_wallet_flags({buyer.wallet: buyer.flags for buyer in buyers if buyer.flags})


def _save_wallets(run_id: uuid.UUID, qualified: Sequence[EarlyBuyer]) -> None:
    addresses = sorted(buyer.wallet for buyer in qualified)
    Wallet.objects.bulk_create(
        [_wallet_row(run_id, address) for address in addresses],
        ignore_conflicts=True,
    )
    # A control wallet that qualifies is a find from now on.
    controls = Wallet.objects.filter(address__in=addresses, origin=WalletOrigin.CONTROL)
    controls.update(
        origin=WalletOrigin.DISCOVERY,
        first_run_id=run_id,
        first_discovered_at=clock.now(),
    )
    of_this_run = Wallet.objects.filter(address__in=addresses, first_run_id=run_id)
    new_addresses = set(of_this_run.values_list("address", flat=True))
    RunWallet.objects.bulk_create(
        [
            _run_wallet_row(run_id, buyer, is_new=buyer.wallet in new_addresses)
            for buyer in qualified
        ],
        ignore_conflicts=True,
    )


def _wallet_row(run_id: uuid.UUID, address: str) -> Wallet:
    now = clock.now()
    return Wallet(
        address=address,
        status=WalletStatus.INSUFFICIENT_DATA,
        first_run_id=run_id,
        first_discovered_at=now,
        last_discovered_at=now,
    )


def _run_wallet_row(run_id: uuid.UUID, buyer: EarlyBuyer, *, is_new: bool) -> RunWallet:
    return RunWallet(
        run_id=run_id,
        wallet_address=buyer.wallet,
        source_token=buyer.mint,
        is_new=is_new,
        profit_pct=storable_profit_pct(buyer),
        realised_lamports=round_if_known(buyer.position.realised_lamports),
        cost_lamports=round_half_even(buyer.position.cost_basis_lamports),
        first_buy_at=datetime_from_unix(buyer.first_buy_time),
        entry_rank=buyer.entry_rank,
        entry_seconds=buyer.entry_seconds,
        flags=list(buyer.flags),
        row_version=ROW_VERSION,
    )
