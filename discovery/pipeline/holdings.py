"""Open holdings of a wallet: what they would bring now, and whether the chain agrees
with them.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import associated_token_account
from discovery.domain.programs import TOKEN
from discovery.domain.run_errors import WarningSink
from discovery.domain.token_accounts import token_account_units
from discovery.domain.trades import Trade
from discovery.pipeline.bag_values import OpenHolding, bag_values
from discovery.pipeline.balance_history import BalanceChange, WalletHistory
from discovery.providers.errors import ProviderError

MAX_MISMATCH_DIVISOR: Final = 100
"""Up to a hundredth of a holding may be missing on the chain."""


class HoldingsCheck(msgspec.Struct, frozen=True):
    """liquidation_values: mint → lamports that the holding would bring now, None =
    unknown. sources: mint → where a known value comes from.

    unreconciled_units: mint → raw units on the chain, for the mints of which it holds
    less than the history says.
    """

    liquidation_values: dict[str, int | None]
    unreconciled_units: dict[str, int]
    sources: dict[str, str] = {}


async def check_holdings(
    history: WalletHistory,
    providers: Providers,
    source: TransactionSource,
    *,
    now: int,
    warnings: WarningSink,
) -> HoldingsCheck:
    """Value the open holdings and compare them with the chain. `now` in unix seconds.

    A ProviderError is a warning: the values are missing then, or no mint counts as
    unreconciled.
    """
    holdings = _open_holdings(history)
    if not holdings:
        return HoldingsCheck({}, {})
    bags, unreconciled = await asyncio.gather(
        bag_values(holdings, providers, source, now=now, warnings=warnings),
        _unreconciled_units(holdings, source, warnings),
    )
    values: dict[str, int | None] = {}
    sources: dict[str, str] = {}
    for mint, bag in bags.items():
        values[mint] = None
        if bag is not None:
            values[mint] = bag.lamports
            sources[mint] = bag.source
    return HoldingsCheck(values, unreconciled, sources)


def _open_holdings(history: WalletHistory) -> list[OpenHolding]:
    """Return the traded mints of which the wallet holds units after its last
    transaction.
    """
    holdings: list[OpenHolding] = []
    for mint in history.traded_mints():
        changes = history.changes[mint]
        units = changes[-1].after_units
        if not units:
            continue
        program = history.token_programs.get(mint, TOKEN)
        last_trade = _last_trade(changes)
        holding = OpenHolding(
            mint=mint,
            units=units,
            decimals=last_trade.token_decimals,
            account=associated_token_account(history.address, mint, program),
            program=program,
            pool=_explained_pool(last_trade),
        )
        holdings.append(holding)
    return holdings


def _last_trade(changes: Sequence[BalanceChange]) -> Trade:
    """Return the last trade of a mint that was traded."""
    trades = (change.trade for change in reversed(changes))
    return next(filter(None, trades))


def _explained_pool(trade: Trade) -> str:
    """Return the PumpSwap pool of a trade that its vaults explain, else ""."""
    is_explained = trade.pool_quote_after is not None
    if trade.pool is None or not is_explained or "pumpswap" not in trade.venues:
        return ""
    return trade.pool


async def _unreconciled_units(
    holdings: Iterable[OpenHolding], source: TransactionSource, warnings: WarningSink
) -> dict[str, int]:
    """Return mint → units on the chain, for the mints of which it holds too little;
    none if that is not known.
    """
    listed = list(holdings)
    try:
        accounts = await source.accounts([holding.account for holding in listed])
    except ProviderError as error:
        warnings.add(f"balances: not compared with the chain: {error.cause}")
        return {}
    unreconciled: dict[str, int] = {}
    for holding, account in zip(listed, accounts, strict=True):
        units = 0 if account is None else token_account_units(account.data)
        if _is_unreconciled(holding, units):
            unreconciled[holding.mint] = units
    return unreconciled


def _is_unreconciled(holding: OpenHolding, units_on_chain: int) -> bool:
    """Return True if the chain holds too little.

    More units than in the history arrived unseen, at an unknown cost; less means that a
    transaction was not seen.
    """
    return (holding.units - units_on_chain) * MAX_MISMATCH_DIVISOR > holding.units
