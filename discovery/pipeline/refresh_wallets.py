"""Read wallets again: only what is newer, with the value of what they hold in common
batches; and measure the outcomes that are due.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import msgspec

from discovery.clients.provider_clients import Providers
from discovery.domain.run_errors import WarningSink
from discovery.pipeline.bag_values import (
    OpenHolding,
    market_accounts,
    unlisted_on_chain,
)
from discovery.pipeline.holdings import balance_accounts, open_holdings
from discovery.pipeline.measure_outcomes import (
    DueOutcome,
    Measurement,
    measure_outcomes,
)
from discovery.pipeline.preloaded import PreloadedAccounts, PreloadedPairs
from discovery.pipeline.profile_wallet import (
    WalletContext,
    WalletResult,
    profile_reading,
)
from discovery.pipeline.read_wallet import WalletReading, read_wallet
from discovery.pipeline.valuation import value_history
from discovery.pipeline.wallet_history import WalletHistory
from discovery.providers.concurrency import gather_bounded
from discovery.providers.errors import ProviderError
from discovery.providers.prices import SolPrices

MAX_CONCURRENT: Final = 8


class WalletToRefresh(msgspec.Struct, frozen=True):
    """What is stored about a wallet, and its outcomes that are due."""

    context: WalletContext
    due: Sequence[DueOutcome] = ()


class RefreshedWallet(msgspec.Struct, frozen=True):
    """The new profile of a wallet, and its outcomes."""

    result: WalletResult
    measurement: Measurement


class Refresh(msgspec.Struct, frozen=True):
    """refreshed: the wallets that were read. failed: wallet → why it could not be read."""

    refreshed: list[RefreshedWallet]
    failed: dict[str, str]


async def refresh_wallets(
    wallets: Mapping[str, WalletToRefresh],
    providers: Providers,
    *,
    now: int,
    warnings: WarningSink,
) -> Refresh:
    """Return the profiles of these wallets (by address) over PROFILE_LOOKBACK_DAYS
    before `now` (unix seconds), and their outcomes. A wallet that a provider refuses does
    not stop the others; if it refuses all of them, its ProviderError is raised. Raises
    BudgetExhausted.
    """
    source = PreloadedAccounts(providers.transaction_source(warnings))
    pairs = PreloadedPairs(providers.dexscreener)
    providers = replace(providers, dexscreener=pairs)
    readings: list[WalletReading] = []
    refreshed: list[RefreshedWallet] = []
    failed: dict[str, ProviderError] = {}

    async def read(address: str) -> None:
        try:
            history = wallets[address].context.history
            readings.append(await read_wallet(address, history, source, now=now))
        except ProviderError as error:
            failed[address] = error

    async def profile(reading: WalletReading) -> None:
        address = reading.history.address
        context, due = wallets[address].context, wallets[address].due
        try:
            result = await profile_reading(
                reading, context, providers, source, now=now, warnings=warnings
            )
            measurement = await measure_outcomes(
                reading,
                context,
                due,
                providers,
                source,
                now=now,
                warnings=warnings,
                unreconciled=result.unreconciled,
            )
        except ProviderError as error:
            failed[address] = error
        else:
            refreshed.append(RefreshedWallet(result, measurement))

    await gather_bounded(sorted(wallets), read, MAX_CONCURRENT)
    await _preload(readings, source, pairs, providers.prices, warnings)
    await gather_bounded(readings, profile, MAX_CONCURRENT)
    if failed and not refreshed:
        raise next(iter(failed.values()))
    refreshed.sort(key=lambda wallet: wallet.result.address)
    return Refresh(refreshed, {name: str(error) for name, error in failed.items()})


async def _preload(
    readings: list[WalletReading],
    source: PreloadedAccounts,
    pairs: PreloadedPairs,
    prices: SolPrices,
    warnings: WarningSink,
) -> None:
    """Read the accounts and the listed pairs that the profiles of these wallets need. A
    ProviderError is a warning: each profile then tries for itself.
    """
    holdings = [_holdings(reading.history, prices) for reading in readings]
    wanted: list[str] = []
    for reading, held in zip(readings, holdings, strict=True):
        wanted += balance_accounts(reading.history)
        for holding in held:
            wanted += market_accounts(holding)
    try:
        accounts = await source.read(wanted)
        unlisted = [unlisted_on_chain(held, accounts) for held in holdings]
        await pairs.preload(holding.mint for holding in chain.from_iterable(unlisted))
    except ProviderError as error:
        warnings.add(f"accounts and pairs: not read at once: {error.cause}")


def _holdings(history: WalletHistory, prices: SolPrices) -> list[OpenHolding]:
    events = {
        mint: value_history(
            history.changes[mint], prices, releases=history.releases.get(mint, [])
        ).events
        for mint in history.traded_mints()
    }
    return open_holdings(history, events)
