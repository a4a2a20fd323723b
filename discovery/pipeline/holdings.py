"""Open holdings of a wallet: what they would bring now, and whether the chain agrees
with them.
"""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from discovery.analysis.liquidation import liquidation_value_lamports
from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import associated_token_account
from discovery.domain.programs import TOKEN
from discovery.domain.run_errors import WarningSink
from discovery.domain.token_accounts import token_account_units
from discovery.pipeline.balance_history import BalanceChange, WalletHistory
from discovery.providers.errors import ProviderError
from discovery.providers.records import PairRecord

MAX_LIQUIDATION_VALUES: Final = 300
MAX_MISMATCH_DIVISOR: Final = 100
"""Up to a hundredth of a holding may be missing on the chain."""


class OpenHolding(msgspec.Struct, frozen=True):
    """Raw units of a mint that the wallet holds by its history, and its token account."""

    mint: str
    units: int
    decimals: int
    account: str


class HoldingsCheck(msgspec.Struct, frozen=True):
    """liquidation_values: mint → lamports that the holding would bring now, None =
    unknown.

    unreconciled_units: mint → raw units on the chain, for the mints of which it holds
    less than the history says.
    """

    liquidation_values: dict[str, int | None]
    unreconciled_units: dict[str, int]


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
    values, unreconciled = await asyncio.gather(
        _liquidation_values(holdings, providers, now, warnings),
        _unreconciled_units(holdings, source, warnings),
    )
    return HoldingsCheck(values, unreconciled)


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
        holding = OpenHolding(
            mint=mint,
            units=units,
            decimals=_decimals(changes),
            account=associated_token_account(history.address, mint, program),
        )
        holdings.append(holding)
    return holdings


def _decimals(changes: Iterable[BalanceChange]) -> int:
    """Return the decimals of a mint with a trade."""
    trades = (change.trade for change in changes)
    first_trade = next(filter(None, trades))
    return first_trade.token_decimals


async def _liquidation_values(
    holdings: Sequence[OpenHolding],
    providers: Providers,
    now: int,
    warnings: WarningSink,
) -> dict[str, int | None]:
    """Return mint → lamports that the holding would bring now, None = unknown; an empty
    dict if no value can be known.
    """
    usd_per_sol = providers.prices.at_hour(now)
    if usd_per_sol is None:
        warnings.add("exit values: not known: no SOL/USD price")
        return {}
    if len(holdings) > MAX_LIQUIDATION_VALUES:
        warnings.add("exit values: too many open holdings")
        return {}
    try:
        pairs = await providers.dexscreener.pairs(holding.mint for holding in holdings)
    except ProviderError as error:
        warnings.add(f"exit values: not known: {error.cause}")
        return {}
    deepest = _deepest_pairs(pairs)
    values: dict[str, int | None] = {}
    for holding in holdings:
        pair = deepest.get(holding.mint)
        values[holding.mint] = _liquidation_value(holding, pair, usd_per_sol)
    return values


def _deepest_pairs(pairs: Iterable[PairRecord]) -> dict[str, PairRecord]:
    """Return the pair with the most liquidity by mint; of equal ones the first."""
    by_depth = sorted(pairs, key=lambda pair: pair.liquidity_usd or 0, reverse=True)
    deepest: dict[str, PairRecord] = {}
    for pair in by_depth:
        deepest.setdefault(pair.mint, pair)
    return deepest


def _liquidation_value(
    holding: OpenHolding, pair: PairRecord | None, usd_per_sol: Decimal
) -> int | None:
    """Return the lamports that the holding would bring, 0 without a pool, None if that
    is unknown.
    """
    if pair is None:
        return 0
    is_bonding_curve = pair.price_usd is not None and pair.liquidity_usd is None
    if is_bonding_curve:
        # The aggregator reports no liquidity, and a price without depth has no value.
        return None
    return liquidation_value_lamports(
        holding.units, holding.decimals, pair.price_usd, pair.liquidity_usd, usd_per_sol
    )


async def _unreconciled_units(
    holdings: Sequence[OpenHolding], source: TransactionSource, warnings: WarningSink
) -> dict[str, int]:
    """Return mint → units on the chain, for the mints of which it holds too little;
    none if that is not known.
    """
    try:
        accounts = await source.accounts([holding.account for holding in holdings])
    except ProviderError as error:
        warnings.add(f"balances: not compared with the chain: {error.cause}")
        return {}
    unreconciled: dict[str, int] = {}
    for holding, account in zip(holdings, accounts, strict=True):
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
