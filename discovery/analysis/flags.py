"""Flags of a wallet, each with its evidence in words.

A flag states what was observed. Its consequences are decided by the parameters of a run
and by the gates of a score.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final

from discovery.domain.addresses import is_wallet
from discovery.domain.display import counted
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import Profile
from discovery.domain.units import LAMPORTS_PER_SOL

Flag = tuple[str, str]
"""(name, evidence)."""

INFRASTRUCTURE_FLAG: Final = "plumbing"
"""Stored name of the flag whose label is "infrastructure"."""

MAX_SNIPER_SLOTS: Final = 3
MAX_FUNDING_STEPS: Final = 2
MIN_BUNDLE_WALLETS: Final = 3
MIN_SANDWICHES: Final = 3
MIN_ARBITRAGES: Final = 3
MIN_ARBITRAGE_SHARE: Final = Fraction(1, 5)
MAX_WASH_NET_SHARE: Final = Fraction(1, 10)
MAX_SHORT_HOLD_SECONDS: Final = 60
MIN_SHORT_HOLD_CYCLES: Final = 5
MAX_SWAPS_PER_DAY: Final = 200
MAX_UNMATCHED_SHARE: Final = Fraction(1, 10)
MAX_DUST_LAMPORTS: Final = 10_000_000


def address_flags(wallet: str) -> tuple[str, ...]:
    """Return the names of the flags that an address alone gives."""
    if is_wallet(wallet):
        return ()
    return (INFRASTRUCTURE_FLAG,)


def infrastructure_flag(wallet: str) -> Flag | None:
    """`plumbing`: the address is off the curve (a program's account) or a known
    service. None for an address that can be a trader.
    """
    if is_wallet(wallet):
        return None
    return (INFRASTRUCTURE_FLAG, "a program's account or a known service")


def creator_flag(wallet: str, mint: str, creator_wallet: str | None) -> Flag | None:
    """`creator`: the wallet created the token. None for any other wallet.

    creator_wallet: None if the creator is unknown.
    """
    if wallet != creator_wallet:
        return None
    return ("creator", f"created {mint}")


def funded_by_creator_flag(
    creators: Mapping[str, str], funders: Sequence[str]
) -> Flag | None:
    """`funded_by_creator`: the wallet's first SOL came from a token's creator, directly
    or over one wallet between. None if it came from elsewhere.

    creators: creator -> mint. funders: the wallet's funder, then the funder of that
    one; further ones are ignored.
    """
    for steps, funder in enumerate(funders[:MAX_FUNDING_STEPS], start=1):
        mint = creators.get(funder)
        if mint is not None:
            distance = counted(steps, "step")
            words = f"funded by {funder}, creator of {mint}, {distance} away"
            return ("funded_by_creator", words)
    return None


def sniper_flag(mint: str, entry_slot: int, launch_slot: int) -> Flag | None:
    """`sniper`: the first buy came at most 3 slots after the launch. A program placed
    it; nobody can copy it. None if it came later, or in a slot before the launch.
    """
    slots = entry_slot - launch_slot
    if not 0 <= slots <= MAX_SNIPER_SLOTS:
        return None
    return ("sniper", f"bought {mint} {counted(slots, 'slot')} after its launch")


def bundle_flags(
    mint: str, entries: Iterable[tuple[str, int, str | None]]
) -> dict[str, Flag]:
    """`bundle`, by wallet: at least 3 wallets with one funder bought first in one slot.

    entries: (wallet, slot of its first buy, its funder or None) of the token's early
    buyers. A wallet without a known funder is in no bundle.
    """
    groups: dict[tuple[int, str], set[str]] = defaultdict(set)
    for wallet, slot, funder in entries:
        if funder is not None:
            groups[slot, funder].add(wallet)
    flags: dict[str, Flag] = {}
    for (slot, funder), wallets in sorted(groups.items()):
        if len(wallets) < MIN_BUNDLE_WALLETS:
            continue
        words = (
            f"{len(wallets)} wallets funded by {funder} bought {mint} in slot {slot}"
        )
        flags.update(dict.fromkeys(sorted(wallets), ("bundle", words)))
    return flags


def arbitrage_flag(transactions: int, swaps: int) -> Flag | None:
    """`arbitrage`: the wallet bought and sold the same token within one transaction, at
    least 3 times and in at least 20 % of all transactions in which it traded.

    transactions: in how many. swaps: its other transactions with a buy or a sale.
    """
    if transactions < MIN_ARBITRAGES:
        return None
    trading = transactions + swaps
    if transactions < MIN_ARBITRAGE_SHARE * trading:
        return None
    words = (
        f"bought and sold the same token within one transaction in {transactions:,} "
        f"of {counted(trading, 'trading transaction')}"
    )
    return ("arbitrage", words)


def sandwich_flag(histories: Mapping[str, Sequence[HoldingEvent]]) -> Flag | None:
    """`sandwich`: at least 3 times a buy and a sale of one token in the same slot, in
    different transactions. None with fewer.

    histories: mint -> the wallet's events in it.
    """
    count = sum(_sandwich_count(events) for events in histories.values())
    if count < MIN_SANDWICHES:
        return None
    return ("sandwich", f"bought and sold a token in the same slot {count} times")


def _sandwich_count(events: Iterable[HoldingEvent]) -> int:
    """Return the number of slots with a buy and a sale in different transactions."""
    buys: dict[int, set[str]] = defaultdict(set)
    sells: dict[int, set[str]] = defaultdict(set)
    signatures = {"buy": buys, "sell": sells}
    for event in events:
        if event.is_trade:
            signatures[event.kind][event.slot].add(event.signature)
    return sum(bool(sells[slot] - buys[slot]) for slot in buys.keys() & sells.keys())


def wash_flag(mint: str, cluster: Mapping[str, Sequence[HoldingEvent]]) -> Flag | None:
    """`wash`: wallets of one owner traded on both sides of the token, less than 10 % of
    it net.

    cluster: wallet -> its events in the mint, of wallets with one owner. Only slots
    count in which one of them bought and another sold: units bought minus sold, slot by
    slot, compared with all units that they traded there. None without such a slot, or
    if 10 % or more of the units are net.
    """
    net = gross = 0
    for slot in _units_by_slot(cluster).values():
        if not _is_self_trade(slot):
            continue
        bought, sold = slot["buy"].total(), slot["sell"].total()
        net += abs(bought - sold)
        gross += bought + sold
    if net >= MAX_WASH_NET_SHARE * gross:
        return None
    words = (
        f"{len(cluster)} wallets of one owner traded {gross:,} units of {mint} "
        f"among themselves, {net:,} of them net"
    )
    return ("wash", words)


def _is_self_trade(slot: dict[str, Counter[str]]) -> bool:
    """Return True if one wallet bought and another one sold in the slot.

    slot: side -> wallet -> units traded.
    """
    buyers, sellers = slot["buy"].keys(), slot["sell"].keys()
    return any(buyers - {seller} for seller in sellers)


def _units_by_slot(
    cluster: Mapping[str, Sequence[HoldingEvent]],
) -> dict[int, dict[str, Counter[str]]]:
    """Return slot -> side -> wallet -> units traded."""
    slots: dict[int, dict[str, Counter[str]]] = defaultdict(
        lambda: {"buy": Counter(), "sell": Counter()}
    )
    for wallet, events in cluster.items():
        for event in events:
            if event.is_trade:
                slots[event.slot][event.kind][wallet] += event.units
    return slots


def profile_flags(profile: Profile) -> tuple[Flag, ...]:
    """Return the flags that a wallet's habits give: sub_minute, hyperactive, oversold,
    dust. Seed tokens count too.
    """
    flags = (
        _sub_minute(profile),
        _hyperactive(profile),
        _oversold(profile),
        _dust(profile),
    )
    return tuple(filter(None, flags))


def _sub_minute(profile: Profile) -> Flag | None:
    """`sub_minute`: a median holding time below 60 s over at least 5 cycles."""
    hold, n = profile.all.median_hold_seconds, profile.all.hold_n
    if hold is None or n < MIN_SHORT_HOLD_CYCLES:
        return None
    if hold >= MAX_SHORT_HOLD_SECONDS:
        return None
    return ("sub_minute", f"median hold {hold} s over {n} cycles")


def _hyperactive(profile: Profile) -> Flag | None:
    """`hyperactive`: more than 200 swaps on a day with a swap, on average."""
    if profile.swaps <= MAX_SWAPS_PER_DAY * profile.active_days:
        return None
    days = counted(profile.active_days, "active day")
    return ("hyperactive", f"{profile.swaps_per_day:,} swaps a day on {days}")


def _oversold(profile: Profile) -> Flag | None:
    """`oversold`: more than 10 % of the value that it sold has no known cost."""
    coverage = profile.all.coverage
    if coverage is None or 1 - Fraction(coverage) <= MAX_UNMATCHED_SHARE:
        return None
    return ("oversold", f"{1 - coverage:.1%} of what it sold has no known cost")


def _dust(profile: Profile) -> Flag | None:
    """`dust`: a median position below 0.01 SOL."""
    size = profile.all.median_position_sol
    if size is None or size * LAMPORTS_PER_SOL >= MAX_DUST_LAMPORTS:
        return None
    cycles = counted(profile.all.counted, "cycle")
    return ("dust", f"median position {size.normalize():f} SOL over {cycles}")
