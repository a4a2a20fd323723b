"""Flags of a wallet, each with its evidence in words. A flag says what was seen; policy says what follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final

from discovery.domain.addresses import is_wallet
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import Profile

Flag = tuple[str, str]
"""(name, evidence)."""

MAX_SNIPER_SLOTS: Final = 3
BUNDLE_WALLETS: Final = 3
SANDWICHES: Final = 3
WASH_SHARE: Final = Fraction(1, 10)
SHORT_HOLD_SECONDS: Final = 60
SHORT_HOLD_CYCLES: Final = 5
BUSY_SWAPS_PER_DAY: Final = 200
UNMATCHED_SHARE: Final = Fraction(1, 10)
DUST_LAMPORTS: Final = 10_000_000


def address_flags(wallet: str) -> tuple[str, ...]:
    """The flags that an address alone gives. `plumbing`: off the curve (a program's account) or a known service."""
    return () if is_wallet(wallet) else ("plumbing",)


def creator_flag(wallet: str, mint: str, creator_wallet: str | None) -> Flag | None:
    """`creator`: the wallet made the token. creator_wallet None = not known."""
    return ("creator", f"created {mint}") if wallet == creator_wallet else None


def funded_by_creator_flag(creators: Mapping[str, str], funders: Sequence[str]) -> Flag | None:
    """`funded_by_creator`: its first SOL came from a token's creator, directly or over one wallet in between.

    creators: creator -> mint. funders: who funded the wallet, then who funded that one; no further ones are looked at.
    """
    for steps, funder in enumerate(funders[:2], start=1):
        if funder in creators:
            return (
                "funded_by_creator",
                f"funded by {funder}, creator of {creators[funder]}, {_count(steps, 'step')} away",
            )
    return None


def sniper_flag(mint: str, entry_slot: int, launch_slot: int) -> Flag | None:
    """`sniper`: first bought at most 3 slots after the launch: a program did, and nobody can copy it."""
    slots = entry_slot - launch_slot
    if not 0 <= slots <= MAX_SNIPER_SLOTS:
        return None
    return ("sniper", f"bought {mint} {_count(slots, 'slot')} after its launch")


def bundle_flags(mint: str, entries: Iterable[tuple[str, int, str | None]]) -> dict[str, Flag]:
    """`bundle`, by wallet: at least 3 wallets that first bought in one slot and were funded by one wallet.

    entries: (wallet, slot of its first buy, who funded it or None) of the token's early buyers.
    """
    groups: dict[tuple[int, str], set[str]] = {}
    for wallet, slot, funder in entries:
        if funder is not None:
            groups.setdefault((slot, funder), set()).add(wallet)
    return {
        wallet: ("bundle", f"{len(wallets)} wallets funded by {funder} bought {mint} in slot {slot}")
        for (slot, funder), wallets in sorted(groups.items())
        if len(wallets) >= BUNDLE_WALLETS
        for wallet in sorted(wallets)
    }


def arbitrage_flag(transactions: int) -> Flag | None:
    """`arbitrage`: bought and sold the same token within one transaction, in `transactions` of them."""
    if transactions <= 0:
        return None
    return ("arbitrage", f"bought and sold the same token within {_count(transactions, 'transaction')}")


def sandwich_flag(histories: Mapping[str, Sequence[HoldingEvent]]) -> Flag | None:
    """`sandwich`: at least 3 times a buy and a sale of one token in the same slot, in different transactions.

    histories: mint -> the wallet's events in it.
    """
    found = 0
    for events in histories.values():
        sides: dict[int, dict[str, set[str]]] = {}
        for event in events:
            if event.kind in {"buy", "sell"}:
                sides.setdefault(event.slot, {"buy": set(), "sell": set()})[event.kind].add(event.signature)
        found += sum(bool(slot["buy"]) and bool(slot["sell"] - slot["buy"]) for slot in sides.values())
    if found < SANDWICHES:
        return None
    return ("sandwich", f"bought and sold a token in the same slot {found} times")


def wash_flag(mint: str, cluster: Mapping[str, Sequence[HoldingEvent]]) -> Flag | None:
    """`wash`: wallets of one hand stood on both sides of the token, less than 10 % of it net.

    cluster: wallet -> its events in the mint, of wallets known to be one hand. Looked at are the slots in which one of
    them bought and another sold: bought - sold there, slot by slot, against all that they traded there.
    """
    slots: dict[int, dict[str, dict[str, int]]] = {}
    for wallet, events in cluster.items():
        for event in events:
            if event.kind in {"buy", "sell"}:
                side = slots.setdefault(event.slot, {"buy": {}, "sell": {}})[event.kind]
                side[wallet] = side.get(wallet, 0) + event.units
    net = gross = 0
    for sides in slots.values():
        if sides["buy"] and sides["sell"] and len(sides["buy"].keys() | sides["sell"].keys()) > 1:
            bought, sold = sum(sides["buy"].values()), sum(sides["sell"].values())
            net += abs(bought - sold)
            gross += bought + sold
    if not gross or net >= WASH_SHARE * gross:
        return None
    words = f"{len(cluster)} wallets of one hand traded {gross:,} units of {mint} among themselves, {net:,} of them net"
    return ("wash", words)


def profile_flags(profile: Profile) -> tuple[Flag, ...]:
    """The flags that a wallet's habits give: sub_minute, hyperactive, oversold, dust. Seed tokens are looked at too."""
    found = (_sub_minute(profile), _hyperactive(profile), _oversold(profile), _dust(profile))
    return tuple(flag for flag in found if flag is not None)


def _sub_minute(profile: Profile) -> Flag | None:
    hold, n = profile.all.median_hold_seconds, profile.all.hold_n
    if hold is None or hold >= SHORT_HOLD_SECONDS or n < SHORT_HOLD_CYCLES:
        return None
    return ("sub_minute", f"median hold {hold} s over {n} cycles")


def _hyperactive(profile: Profile) -> Flag | None:
    if profile.swaps <= BUSY_SWAPS_PER_DAY * profile.active_days:
        return None
    return ("hyperactive", f"{profile.swaps_per_day:,} swaps a day on {_count(profile.active_days, 'active day')}")


def _oversold(profile: Profile) -> Flag | None:
    coverage = profile.all.coverage
    if coverage is None or 1 - Fraction(coverage) <= UNMATCHED_SHARE:
        return None
    return ("oversold", f"{1 - coverage:.1%} of what it sold has no known cost")


def _dust(profile: Profile) -> Flag | None:
    size = profile.all.median_position_sol
    if size is None or size * 10**9 >= DUST_LAMPORTS:
        return None
    return ("dust", f"median position {size.normalize():f} SOL over {_count(profile.all.counted, 'cycle')}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
