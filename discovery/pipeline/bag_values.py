"""What the units that a wallet still holds would bring: by the reserves of their market
on the chain, else by the pair that DexScreener lists.

On the chain a market is a bonding curve of pump.fun, or a pool of PumpSwap in which the
wallet traded at prices that the pool's vaults explain. Other pools may count reserves
that no vault shows, so DexScreener comes first for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from discovery.analysis.liquidation import (
    liquidation_value_lamports,
    market_value_lamports,
)
from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import (
    associated_token_account,
    pump_curve,
    pumpswap_pool,
)
from discovery.domain.bonding_curve import curve_reserves
from discovery.domain.histories import PoolReserves
from discovery.domain.programs import TOKEN, WRAPPED_SOL
from discovery.domain.run_errors import WarningSink
from discovery.domain.token_accounts import token_account_units
from discovery.providers.errors import ProviderError
from discovery.providers.records import AccountRecord, PairRecord

CHAIN: Final = "chain"
DEXSCREENER: Final = "dexscreener"
MAX_LISTED: Final = 300
"""Holdings that are looked up at DexScreener: ten calls."""

Accounts = Mapping[str, AccountRecord | None]


class OpenHolding(msgspec.Struct, frozen=True):
    """Raw units of a mint that belong to the wallet, those in open orders included.

    pool: PumpSwap pool of the wallet's last trade whose vaults explain that trade, "" if
    there is none.
    """

    mint: str
    units: int
    decimals: int
    program: str = TOKEN
    pool: str = ""


class BagValue(msgspec.Struct, frozen=True):
    """Lamports that a holding would bring if it were sold now, and where they are from."""

    lamports: int
    source: str


class BagValues(msgspec.Struct, frozen=True):
    """known: mint → value. unread: mints of which nobody answered what they would bring;
    the others have no market that anybody knows.
    """

    known: dict[str, BagValue]
    unread: frozenset[str]


class _Market(msgspec.Struct, frozen=True):
    """Accounts of a market: of a curve its own account, of a pool the vault of SOL; and
    the vault of the token.
    """

    quote_account: str
    base_account: str


async def bag_values(
    holdings: Sequence[OpenHolding],
    providers: Providers,
    source: TransactionSource,
    *,
    now: int,
    warnings: WarningSink,
) -> BagValues:
    """Return what the holdings would bring. `now` in unix seconds. A ProviderError is a
    warning.
    """
    if not holdings:
        return BagValues({}, frozenset())
    accounts = await _accounts(holdings, source, warnings)
    certain: dict[str, BagValue] = {}
    uncertain: dict[str, BagValue] = {}
    for holding in holdings:
        value = _value_on_chain(holding, accounts)
        if value is not None:
            certain[holding.mint] = value
            continue
        value = _pool_value(holding, _canonical_pool(holding), accounts)
        if value is not None:
            uncertain[holding.mint] = value
    rest = [holding for holding in holdings if holding.mint not in certain]
    listed = await _listed_values(rest, providers, now=now, warnings=warnings)
    # A pool that is too thin for a list may still buy.
    worth = {mint: value for mint, value in listed.known.items() if value.lamports}
    known = listed.known | uncertain | worth | certain
    unread = listed.unread if accounts else {holding.mint for holding in rest}
    return BagValues(known, frozenset(unread) - known.keys())


async def _accounts(
    holdings: Sequence[OpenHolding], source: TransactionSource, warnings: WarningSink
) -> Accounts:
    """Return the accounts of all markets by address, 100 a call; none if the node does
    not answer.
    """
    wanted: dict[str, None] = {}
    for holding in holdings:
        wanted.update(dict.fromkeys(market_accounts(holding)))
    addresses = list(wanted)
    try:
        accounts = await source.accounts(addresses)
    except ProviderError as error:
        warnings.add(f"exit values: not read on the chain: {error.cause}")
        return {}
    return dict(zip(addresses, accounts, strict=True))


def unlisted_on_chain(
    holdings: Sequence[OpenHolding], accounts: Accounts
) -> list[OpenHolding]:
    """Return the holdings that DexScreener is asked about: no market on the chain has
    certain reserves. At most MAX_LISTED.
    """
    rest = [each for each in holdings if _value_on_chain(each, accounts) is None]
    return rest[:MAX_LISTED]


def market_accounts(holding: OpenHolding) -> list[str]:
    """Return the accounts of the markets in which a holding could be sold."""
    accounts: list[str] = []
    for market in _markets(holding):
        accounts += [market.quote_account, market.base_account]
    return accounts


def _markets(holding: OpenHolding) -> list[_Market]:
    if holding.pool:
        return [_pool(holding, holding.pool)]
    return [_curve(holding), _canonical_pool(holding)]


def _curve(holding: OpenHolding) -> _Market:
    curve = pump_curve(holding.mint)
    return _Market(curve, _vault(holding, curve))


def _canonical_pool(holding: OpenHolding) -> _Market:
    return _pool(holding, pumpswap_pool(holding.mint))


def _pool(holding: OpenHolding, pool: str) -> _Market:
    return _Market(associated_token_account(pool, WRAPPED_SOL), _vault(holding, pool))


def _vault(holding: OpenHolding, owner: str) -> str:
    return associated_token_account(owner, holding.mint, holding.program)


def _value_on_chain(holding: OpenHolding, accounts: Accounts) -> BagValue | None:
    """Return the value at a market whose reserves are certain, None without one."""
    if holding.pool:
        return _pool_value(holding, _pool(holding, holding.pool), accounts)
    market = _curve(holding)
    curve = accounts.get(market.quote_account)
    vault = accounts.get(market.base_account)
    if curve is None or vault is None:
        return None
    reserves = curve_reserves(curve.lamports, token_account_units(vault.data))
    if reserves is None:
        return None
    return _value(holding, PoolReserves(*reserves))


def _pool_value(
    holding: OpenHolding, market: _Market, accounts: Accounts
) -> BagValue | None:
    quote_vault = accounts.get(market.quote_account)
    base_vault = accounts.get(market.base_account)
    if quote_vault is None or base_vault is None:
        return None
    reserves = PoolReserves(
        quote_lamports=token_account_units(quote_vault.data),
        base_units=token_account_units(base_vault.data),
    )
    return _value(holding, reserves)


def _value(holding: OpenHolding, reserves: PoolReserves) -> BagValue:
    return BagValue(market_value_lamports(holding.units, reserves), CHAIN)


async def _listed_values(
    holdings: Sequence[OpenHolding],
    providers: Providers,
    *,
    now: int,
    warnings: WarningSink,
) -> BagValues:
    """Return the values at the deepest pairs that DexScreener lists. A pair whose depth
    it does not know gives no value, and is no market without one either.
    """
    if not holdings:
        return BagValues({}, frozenset())
    asked, too_many = holdings[:MAX_LISTED], holdings[MAX_LISTED:]
    nothing = BagValues({}, frozenset(holding.mint for holding in holdings))
    usd_per_sol = providers.prices.at_hour(now)
    if usd_per_sol is None:
        warnings.add("exit values: not known off the chain: no SOL/USD price")
        return nothing
    if too_many:
        warnings.add(f"exit values: {len(too_many)} holdings are not valued: too many")
    try:
        pairs = await providers.dexscreener.pairs(holding.mint for holding in asked)
    except ProviderError as error:
        warnings.add(f"exit values: pairs not known: {error.cause}")
        return nothing
    deepest = _deepest_pairs(pairs)
    known: dict[str, BagValue] = {}
    unread = {holding.mint for holding in too_many}
    for holding in asked:
        pair = deepest.get(holding.mint)
        if pair is None:
            # A row that could not be read may have been its pair.
            if pairs.rejected:
                unread.add(holding.mint)
            continue
        if pair.liquidity_usd is None:
            unread.add(holding.mint)
            continue
        lamports = _pair_value_lamports(holding, pair, usd_per_sol)
        known[holding.mint] = BagValue(lamports, DEXSCREENER)
    return BagValues(known, frozenset(unread))


def _deepest_pairs(pairs: Iterable[PairRecord]) -> dict[str, PairRecord]:
    """Return the pair with the most liquidity by mint; of equal ones the first."""
    by_depth = sorted(pairs, key=lambda pair: pair.liquidity_usd or 0, reverse=True)
    deepest: dict[str, PairRecord] = {}
    for pair in by_depth:
        deepest.setdefault(pair.mint, pair)
    return deepest


def _pair_value_lamports(
    holding: OpenHolding, pair: PairRecord, usd_per_sol: Decimal
) -> int:
    return liquidation_value_lamports(
        holding.units, holding.decimals, pair.price_usd, pair.liquidity_usd, usd_per_sol
    )
