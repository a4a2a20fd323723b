"""Flags that several wallets give each other, known once the profiles of a run's
wallets are stored.

`bundle`: bought in one slot, funded by one wallet. `wash`: the same owner on both
sides. `funded_by_creator`: the first SOL came from a token's creator. Same owner = one
funder that is no known service.

`creator` and `sniper` are added here too: a token gives them to wallets that may not
have been on the watchlist then.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Min

from discovery.analysis.flags import (
    MAX_SNIPER_SLOTS,
    Flag,
    bundle_flags,
    creator_flag,
    funded_by_creator_flag,
    wash_flag,
)
from discovery.domain.addresses import is_wallet
from discovery.domain.findings import HoldingEvent
from discovery.domain.times import unix_from_datetime
from discovery.models import Position, Run, RunToken, RunWallet, Trade, Wallet
from discovery.pipeline.save_flags import add_wallet_flags
from discovery.pipeline.save_trades import BATCH

ANY_MINT: Final = ""
MAX_FUNDER_STEPS: Final = 2
ClusterFlags = dict[tuple[str, str], list[Flag]]
"""(wallet, mint or ANY_MINT) → flags."""
Evidence = dict[str, dict[str, str]]
"""Wallet → flag → evidence."""


def flag_clusters(run: Run, addresses: Sequence[str]) -> None:
    """Flag the run's wallets on the watchlist, with evidence, and in the rows of the
    run, by name. Nine queries.

    addresses: the run's wallets. Flags and rows are stored in one transaction.
    """
    evidence: Evidence = defaultdict(dict)
    _add_creators(evidence, addresses)
    _add_snipers(evidence, addresses)
    flags = _cluster_flags(run, addresses)
    for (wallet, _), wallet_flags in sorted(flags.items()):
        evidence[wallet].update(wallet_flags)
    if not evidence:
        return
    with transaction.atomic():
        add_wallet_flags(evidence)
        _add_to_run(run, list(evidence), flags)


def _add_to_run(run: Run, addresses: Sequence[str], flags: ClusterFlags) -> None:
    rows = list(run.wallets.filter(wallet_address__in=addresses))
    for row in rows:
        of_token = flags.get((row.wallet_address, row.source_token), [])
        of_any_token = flags.get((row.wallet_address, ANY_MINT), [])
        names = [name for name, _ in of_token + of_any_token]
        row.flags = sorted({*row.flags, *names})
    RunWallet.objects.bulk_update(rows, ["flags"], batch_size=BATCH)


def _add_creators(evidence: Evidence, addresses: Sequence[str]) -> None:
    """Add the creators of any run's tokens, each with its first mint by name."""
    tokens = RunToken.objects.filter(creator__in=addresses).order_by("-mint")
    for wallet, mint in tokens.values_list("creator", "mint"):
        flag = creator_flag(wallet, mint, wallet)
        if flag is not None:
            evidence[wallet].update([flag])


def _add_snipers(evidence: Evidence, addresses: Sequence[str]) -> None:
    """Add snipers whose wallet is not flagged yet, with the evidence of their position."""
    positions = Position.objects.filter(
        wallet_address__in=addresses, flags__contains=["sniper"]
    )
    flagged = Wallet.objects.filter(address__in=addresses, flags__has_key="sniper")
    unflagged = positions.exclude(
        wallet_address__in=flagged.values("address")
    ).order_by("-mint")
    for wallet, mint in unflagged.values_list("wallet_address", "mint"):
        evidence[wallet]["sniper"] = (
            f"bought {mint} at most {MAX_SNIPER_SLOTS} slots after its launch"
        )


def _cluster_flags(run: Run, addresses: Sequence[str]) -> ClusterFlags:
    """Return the flags that wallets give each other: `funded_by_creator` for any mint,
    `bundle` and `wash` for mints of the run.
    """
    flags: ClusterFlags = defaultdict(list)
    funders = _load_funders(addresses)
    _add_funded_by_creators(flags, addresses, funders)
    mints = list(run.tokens.values_list("mint", flat=True))
    _add_bundles(flags, addresses, mints, funders)
    _add_washes(flags, mints, _same_owner_groups(addresses, funders))
    return flags


def _load_funders(addresses: Iterable[str]) -> dict[str, str]:
    """Return wallet → funder for the wallets and their funders, as far as they were
    profiled.
    """
    funded = Wallet.objects.exclude(funder="")
    funders = dict(
        funded.filter(address__in=list(addresses)).values_list("address", "funder")
    )
    second_step = funded.filter(address__in=set(funders.values()))
    return dict(second_step.values_list("address", "funder")) | funders


def _add_funded_by_creators(
    flags: ClusterFlags, addresses: Iterable[str], funders: Mapping[str, str]
) -> None:
    tokens = RunToken.objects.filter(creator__in=set(funders.values())).order_by("-pk")
    creators = dict(tokens.values_list("creator", "mint"))
    for wallet in addresses:
        flag = funded_by_creator_flag(creators, _funder_chain(wallet, funders))
        if flag is not None:
            flags[wallet, ANY_MINT].append(flag)


def _funder_chain(wallet: str, funders: Mapping[str, str]) -> list[str]:
    """Return the wallet's funder, then the funder of that one, as far as they are
    known.
    """
    chain: list[str] = []
    while wallet in funders and len(chain) < MAX_FUNDER_STEPS:
        wallet = funders[wallet]
        chain.append(wallet)
    return chain


def _add_bundles(
    flags: ClusterFlags,
    addresses: Sequence[str],
    mints: Sequence[str],
    funders: Mapping[str, str],
) -> None:
    first_buys = (
        Trade.objects.filter(wallet_address__in=addresses, mint__in=mints, side="buy")
        .values_list("mint", "wallet_address")
        .annotate(slot=Min("slot"))
    )
    entries: dict[str, list[tuple[str, int, str | None]]] = defaultdict(list)
    for mint, wallet, slot in first_buys:
        entries[mint].append((wallet, slot, funders.get(wallet)))
    for mint in sorted(entries):
        for wallet, flag in bundle_flags(mint, entries[mint]).items():
            flags[wallet, mint].append(flag)


def _same_owner_groups(
    addresses: Iterable[str], funders: Mapping[str, str]
) -> list[list[str]]:
    """Return the groups of two or more wallets with one funder that is no known
    service.
    """
    by_funder: dict[str, list[str]] = defaultdict(list)
    for wallet in addresses:
        if wallet in funders:
            by_funder[funders[wallet]].append(wallet)
    groups = [by_funder[funder] for funder in sorted(filter(is_wallet, by_funder))]
    return [wallets for wallets in groups if len(wallets) > 1]


def _add_washes(
    flags: ClusterFlags, mints: Sequence[str], groups: Sequence[Sequence[str]]
) -> None:
    """Add the flags of groups that traded one of the mints among themselves."""
    events_by_mint = _load_events(mints, groups)
    for mint, wallets in itertools.product(sorted(events_by_mint), groups):
        events = events_by_mint[mint]
        cluster = {wallet: events[wallet] for wallet in wallets if wallet in events}
        flag = wash_flag(mint, cluster)
        if flag is None:
            continue
        for wallet in cluster:
            flags[wallet, mint].append(flag)


def _load_events(
    mints: Sequence[str], groups: Sequence[Sequence[str]]
) -> dict[str, dict[str, list[HoldingEvent]]]:
    """Return the trades of the grouped wallets as events, by mint and wallet. One
    query, none without a group.
    """
    events: dict[str, dict[str, list[HoldingEvent]]] = defaultdict(
        lambda: defaultdict(list)
    )
    if not groups:
        return events
    wallets = list(itertools.chain.from_iterable(groups))
    trades = Trade.objects.filter(wallet_address__in=wallets, mint__in=mints).order_by(
        "slot", "signature"
    )
    for trade in trades:
        events[trade.mint][trade.wallet_address].append(_event(trade))
    return events


def _event(trade: Trade) -> HoldingEvent:
    return HoldingEvent(
        kind="buy" if trade.side == "buy" else "sell",
        signature=trade.signature,
        slot=trade.slot,
        block_time=unix_from_datetime(trade.block_time) or 0,
        units=int(trade.token_units),
    )
