"""Flags that several wallets give each other, known once the profiles of a run's wallets are stored.

`bundle`: bought in one slot, funded by one wallet. `wash`: one hand on both sides. `funded_by_creator`: its first SOL
came from a token's creator. One hand = one funder that is no known service.

Told here once more: `creator` and `sniper`, which a token gives wallets that may not have been on the watchlist then.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
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
from discovery.domain.findings import EventKind, HoldingEvent
from discovery.models import (
    Position,
    Run,
    RunToken,
    RunWallet,
    Trade,
    Wallet,
)
from discovery.pipeline.save_flags import add_wallet_flags
from discovery.pipeline.save_trades import BATCH

_EVERY: Final = ""
ClusterFlags = dict[tuple[str, str], list[Flag]]
"""(wallet, mint, or "" for whatever token) -> flags."""


def flag_clusters(run: Run, addresses: Sequence[str]) -> None:
    """Flag the run's wallets, on the watchlist with evidence and in the rows of the run by name. Nine queries."""
    of_wallet = _of_tokens(addresses)
    funders = _funders(addresses)
    found: ClusterFlags = defaultdict(list)
    _funded_by_creators(found, addresses, funders)
    mints = list(run.tokens.values_list("mint", flat=True))
    _bundles(found, addresses, mints, funders)
    _washes(found, mints, _one_hand(addresses, funders))
    if not found and not of_wallet:
        return
    for (wallet, _), flags in sorted(found.items()):
        of_wallet[wallet].update(flags)
    with transaction.atomic():
        add_wallet_flags(of_wallet)
        rows = list(run.wallets.filter(wallet_address__in=list(of_wallet)))
        for row in rows:
            of_row = found.get((row.wallet_address, row.source_token), []) + found.get((row.wallet_address, _EVERY), [])
            row.flags = sorted({*row.flags, *(name for name, _ in of_row)})
        RunWallet.objects.bulk_update(rows, ["flags"], batch_size=BATCH)


def _of_tokens(addresses: Sequence[str]) -> dict[str, dict[str, str]]:
    """What stored tokens say of the wallets, whichever was stored first: wallet -> name -> evidence."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    made = RunToken.objects.filter(creator__in=addresses).order_by("-mint").values_list("creator", "mint")
    for wallet, mint in made:
        flag = creator_flag(wallet, mint, wallet)
        if flag is not None:
            said[wallet].update([flag])
    sniped = Position.objects.filter(wallet_address__in=addresses, flags__contains=["sniper"])
    told = Wallet.objects.filter(address__in=addresses, flags__has_key="sniper")
    unsaid = sniped.exclude(wallet_address__in=told.values("address")).order_by("-mint")
    for wallet, mint in unsaid.values_list("wallet_address", "mint"):
        said[wallet]["sniper"] = f"bought {mint} at most {MAX_SNIPER_SLOTS} slots after its launch"
    return said


def _funders(addresses: Iterable[str]) -> dict[str, str]:
    """Who funded each wallet, and who funded those, as far as they were profiled."""
    known = Wallet.objects.exclude(funder="")
    funders = dict(known.filter(address__in=list(addresses)).values_list("address", "funder"))
    return dict(known.filter(address__in=set(funders.values())).values_list("address", "funder")) | funders


def _funded_by_creators(found: ClusterFlags, addresses: Iterable[str], funders: Mapping[str, str]) -> None:
    made = RunToken.objects.filter(creator__in=set(funders.values())).order_by("-pk")
    creators = dict(made.values_list("creator", "mint"))
    for wallet in addresses:
        chain = [funder for funder in (funders.get(wallet), funders.get(funders.get(wallet, ""))) if funder]
        flag = funded_by_creator_flag(creators, chain)
        if flag is not None:
            found[wallet, _EVERY].append(flag)


def _bundles(found: ClusterFlags, addresses: Sequence[str], mints: Sequence[str], funders: Mapping[str, str]) -> None:
    firsts = (
        Trade.objects.filter(wallet_address__in=addresses, mint__in=mints, side="buy")
        .values_list("mint", "wallet_address")
        .annotate(slot=Min("slot"))
    )
    entries: dict[str, list[tuple[str, int, str | None]]] = defaultdict(list)
    for mint, wallet, slot in firsts:
        entries[mint].append((wallet, slot, funders.get(wallet)))
    for mint in sorted(entries):
        for wallet, flag in bundle_flags(mint, entries[mint]).items():
            found[wallet, mint].append(flag)


def _one_hand(addresses: Iterable[str], funders: Mapping[str, str]) -> list[list[str]]:
    hands: dict[str, list[str]] = defaultdict(list)
    for wallet in addresses:
        funder = funders.get(wallet)
        if funder is not None and is_wallet(funder):
            hands[funder].append(wallet)
    return [wallets for _, wallets in sorted(hands.items()) if len(wallets) > 1]


def _washes(found: ClusterFlags, mints: Sequence[str], hands: Sequence[Sequence[str]]) -> None:
    wanted = [wallet for wallets in hands for wallet in wallets]
    events: dict[str, dict[str, list[HoldingEvent]]] = defaultdict(lambda: defaultdict(list))
    rows = Trade.objects.filter(wallet_address__in=wanted, mint__in=mints).order_by("slot", "signature")
    for row in rows if wanted else ():
        kind: EventKind = "buy" if row.side == "buy" else "sell"
        at = 0 if row.block_time is None else int(row.block_time.astimezone(UTC).timestamp())
        event = HoldingEvent(kind, row.signature, row.slot, at, int(row.token_units))
        events[row.mint][row.wallet_address].append(event)
    for mint, by_wallet in sorted(events.items()):
        for wallets in hands:
            cluster = {wallet: by_wallet[wallet] for wallet in wallets if wallet in by_wallet}
            flag = wash_flag(mint, cluster)
            if flag is not None:
                for wallet in cluster:
                    found[wallet, mint].append(flag)
