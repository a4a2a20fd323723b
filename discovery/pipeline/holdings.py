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
from discovery.providers.records import AccountRecord

MAX_MISMATCH_DIVISOR: Final = 100
"""Up to a hundredth of a holding may be missing on the chain."""
MAX_NEWER: Final = 1_000
"""Transactions that are read once more when a balance does not agree."""
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
    accounts hold less than after its last transaction.

    Where they do, the wallet's newest transactions and these accounts are read once more
    first, and what is still missing is a warning. Raises ProviderError if the chain can
    be compared later; one that is final is a warning, and nothing is compared.
    """
    try:
        accounts = balance_accounts(history)
        read = await source.accounts(accounts) if accounts else []
        unreconciled = _unreconciled(history, dict(zip(accounts, read, strict=True)))
        if not unreconciled:
            return {}
        await _read_newest(history, source)
        accounts = balance_accounts(history)
        read = await source.accounts_again(accounts)
    except ProviderError as error:
        if error.retryable:
            raise
        warnings.add(f"balances: not compared with the chain: {error.cause}")
        return {}
    unreconciled = _unreconciled(history, dict(zip(accounts, read, strict=True)))
    if unreconciled:
        warnings.add(
            "tokens of which the chain holds fewer units than the transactions show, which"
            " were read twice: their results are not known"
        )
    return unreconciled


async def _read_newest(history: WalletHistory, source: TransactionSource) -> None:
    """Add transactions that are newer than the history."""
    if history.last is None:
        return
    newer = await source.fetch_after(history.address, history.last, MAX_NEWER)
    if newer is not None:
        history.extend(newer.transactions)


def balance_accounts(history: WalletHistory) -> list[str]:
    """Return the wallet's own accounts whose balances are compared with the chain."""
    accounts: dict[str, None] = {}
    for units in _expected_units(history).values():
        accounts.update(dict.fromkeys(units))
    return list(accounts)


def _expected_units(history: WalletHistory) -> dict[str, dict[str, int]]:
    """Return mint → token account → raw units after the wallet's last transaction with
    it, of traded mints that it holds then. Without the accounts of a transaction, its
    associated account stands for them.
    """
    expected: dict[str, dict[str, int]] = {}
    for mint in history.traded_mints():
        changes = history.changes[mint]
        units = {
            account.account: account.after_units
            for change in changes
            for account in change.accounts
        }
        if not units:
            program = history.token_programs.get(mint, TOKEN)
            account = associated_token_account(history.address, mint, program)
            units = {account: changes[-1].after_units}
        if sum(units.values()):
            expected[mint] = units
    return expected


def _unreconciled(
    history: WalletHistory, accounts: Mapping[str, AccountRecord | None]
) -> dict[str, int]:
    unreconciled: dict[str, int] = {}
    for mint, expected in _expected_units(history).items():
        held = [accounts.get(account) for account in expected]
        units = sum(token_account_units(each.data) for each in held if each is not None)
        if _is_unreconciled(sum(expected.values()), units):
            unreconciled[mint] = units
    return unreconciled


def _is_unreconciled(expected_units: int, units_on_chain: int) -> bool:
    """Return True if the chain holds too little.

    More units than in the history arrived unseen, at an unknown cost; less means that a
    transaction was not seen.
    """
    missing = expected_units - units_on_chain
    return missing * MAX_MISMATCH_DIVISOR > expected_units
