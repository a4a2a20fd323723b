"""Open holdings of a wallet: what they would bring now, and whether the chain agrees
with them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import associated_token_account, pump_curve
from discovery.domain.findings import EventKind, HoldingEvent
from discovery.domain.programs import TOKEN
from discovery.domain.run_errors import WarningSink
from discovery.domain.token_accounts import token_account_units
from discovery.domain.trades import Trade
from discovery.pipeline.bag_values import OpenHolding
from discovery.pipeline.balance_history import BalanceChange
from discovery.pipeline.wallet_history import WalletHistory
from discovery.providers.errors import ProviderError

MAX_MISMATCH_DIVISOR: Final = 100
"""Up to a hundredth of a holding may be missing on the chain."""
_SIGNS: Final[Mapping[EventKind, int]] = {
    "buy": 1,
    "transfer_in": 1,
    "sell": -1,
    "transfer_out": -1,
    "burn": -1,
    "unpriced_out": -1,
}
"""Units in open orders still belong to the wallet."""


def open_holdings(
    history: WalletHistory, events: Mapping[str, Iterable[HoldingEvent]]
) -> list[OpenHolding]:
    """Return the traded mints of which units still belong to the wallet.

    events: by mint, the gaps that the chain showed included. A mint without events is
    left out.
    """
    holdings: list[OpenHolding] = []
    for mint in history.traded_mints():
        units = _units_left(events.get(mint, ()))
        if units <= 0:
            continue
        last_trade = _last_trade(history.changes[mint])
        holding = OpenHolding(
            mint=mint,
            units=units,
            decimals=last_trade.token_decimals,
            program=history.token_programs.get(mint, TOKEN),
            pool=_explained_pool(last_trade),
        )
        holdings.append(holding)
    return holdings


def _units_left(events: Iterable[HoldingEvent]) -> int:
    return sum(_SIGNS.get(event.kind, 0) * event.units for event in events)


def _last_trade(changes: Sequence[BalanceChange]) -> Trade:
    """Return the last trade of a mint that was traded."""
    trades = (change.trade for change in reversed(changes))
    return next(filter(None, trades))


def _explained_pool(trade: Trade) -> str:
    """Return the PumpSwap pool of a trade that its vaults explain, else ""."""
    pool = trade.pool
    if pool is None or trade.reserves_after is None or "pumpswap" not in trade.venues:
        return ""
    return "" if pool == pump_curve(trade.mint) else pool


async def unreconciled_units(
    history: WalletHistory, source: TransactionSource, warnings: WarningSink
) -> dict[str, int]:
    """Return mint → raw units on the chain, for the traded mints of which the wallet's
    account holds less than after its last transaction; none if that is not known.

    A ProviderError is a warning.
    """
    expected = _units_after_last_transaction(history)
    if not expected:
        return {}
    try:
        accounts = await source.accounts(balance_accounts(history))
    except ProviderError as error:
        warnings.add(f"balances: not compared with the chain: {error.cause}")
        return {}
    unreconciled: dict[str, int] = {}
    for (mint, expected_units), account in zip(expected.items(), accounts, strict=True):
        units = 0 if account is None else token_account_units(account.data)
        if _is_unreconciled(expected_units, units):
            unreconciled[mint] = units
    return unreconciled


def balance_accounts(history: WalletHistory) -> list[str]:
    """Return the wallet's own accounts whose balances are compared with the chain."""
    return [_account(history, mint) for mint in _units_after_last_transaction(history)]


def _units_after_last_transaction(history: WalletHistory) -> dict[str, int]:
    """Return mint → raw units in the wallet's own accounts, of traded mints with any."""
    units: dict[str, int] = {}
    for mint in history.traded_mints():
        after_units = history.changes[mint][-1].after_units
        if after_units:
            units[mint] = after_units
    return units


def _account(history: WalletHistory, mint: str) -> str:
    program = history.token_programs.get(mint, TOKEN)
    return associated_token_account(history.address, mint, program)


def _is_unreconciled(expected_units: int, units_on_chain: int) -> bool:
    """Return True if the chain holds too little.

    More units than in the history arrived unseen, at an unknown cost; less means that a
    transaction was not seen.
    """
    missing = expected_units - units_on_chain
    return missing * MAX_MISMATCH_DIVISOR > expected_units
