"""The forward record in one sentence, which never says more than its figures."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from discovery.analysis.forward_outlook import Outlook
from discovery.analysis.forward_record import (
    ArmGrowth,
    Claim,
    ClaimKind,
    Lift,
    Missing,
)
from discovery.domain.display import counted, signed_pct_text
from discovery.domain.units import lamports_to_sol

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class SentenceTerms(msgspec.Struct, frozen=True):
    """Stake of a followed purchase, and the delay of the trades that are seen late."""

    stake_lamports: int = 500_000_000
    late_seconds: int = 15


def sentence(measured: Lift, claim: Claim, ahead: Outlook, terms: SentenceTerms) -> str:
    """Return what following brought, in plain text: growth a trade of both arms in % of
    the stake, what may be claimed of their difference, and the counts; or what is still
    missing and about how long it will take.
    """
    stake = f"{lamports_to_sol(terms.stake_lamports).normalize():f} SOL"
    found, control = measured.found, measured.control
    if found.growth_stakes is None or control.growth_stakes is None:
        return _not_known(stake, ahead)
    seeing = _seeing_text(found, terms.late_seconds)
    verb = "earned" if found.growth_stakes > 0 else "brought"
    return (
        f"Following these wallets with {stake}, {seeing}, {verb} "
        f"{_pct(found.growth_stakes)} % a trade {_bounds(found.low_stakes, found.high_stakes)} "
        f"against {_pct(control.growth_stakes)} % of matched early buyers: "
        f"{_claim_text(measured, claim)}; {_counts_text(measured)}."
    )


def missing_text(missing: Missing, group: str) -> str:
    """Return what a group still misses, "" if it misses nothing. group: `followed` or
    `control`; named once.
    """
    counts = (
        (missing.wallets, "more wallet"),
        (missing.tokens, "more token"),
        (missing.trades, "more trade"),
    )
    parts = [counted(count, noun) for count, noun in counts if count]
    if not parts:
        return ""
    if missing.wallets:
        parts[0] = counted(missing.wallets, f"more {group} wallet")
    else:
        parts[0] += f" of {group} wallets"
    return _listed(parts)


def unknown_lift_text(measured: Lift) -> str:
    """Return what both groups still miss for the lift, "" if it is known."""
    parts = (
        missing_text(measured.found.missing, "followed"),
        missing_text(measured.control.missing, "control"),
    )
    return "; ".join(filter(None, parts))


def most_missing_text(measured: Lift) -> str:
    """Return what each group misses most for the lift, "" if it is known: for tables of
    several lifts.
    """
    parts = (
        missing_text(_most(measured.found.missing), "followed"),
        missing_text(_most(measured.control.missing), "control"),
    )
    return "; ".join(filter(None, parts))


def _most(missing: Missing) -> Missing:
    if missing.trades:
        return Missing(trades=missing.trades)
    if missing.wallets >= missing.tokens:
        return Missing(wallets=missing.wallets)
    return Missing(tokens=missing.tokens)


def wait_text(days: int | None) -> str:
    """Return about when nothing is missing any more, at the rate of the last days."""
    if days is None:
        return "no date can be given: some of it did not grow in the last days"
    if days == 0:
        return "nothing is missing"
    return f"in about {counted(days, 'day')}"


def claim_text(measured: Lift, claim: Claim) -> str:
    """Return what may be claimed of the difference, however often it is looked at."""
    if not measured.is_known:
        return "nothing yet"
    if claim.kind is ClaimKind.MORE:
        return "followed wallets bring more than control wallets"
    if claim.kind is ClaimKind.LESS:
        return "followed wallets bring less than control wallets"
    if claim.seen_unequally:
        return (
            "no difference: the prices of the two groups were not seen equally closely"
        )
    if claim.low_stakes is None:
        return "no difference: all trades of a group ended alike"
    return "no difference yet"


def _not_known(stake: str, ahead: Outlook) -> str:
    parts = (
        missing_text(ahead.found.missing, "followed"),
        missing_text(ahead.control.missing, "control"),
    )
    text = f"Not known yet whether following these wallets with {stake} pays"
    if any(parts):
        text += f": missing are {'; '.join(filter(None, parts))}"
    return f"{text}. {_when(ahead.days)}."


def _when(days: int | None) -> str:
    if days is None:
        return "No date can be given: some of it did not grow in the last days"
    if days == 0:
        return "Nothing is missing any more, and the next report says it"
    return f"At the rate of the last days that takes about {counted(days, 'day')}"


def _claim_text(measured: Lift, claim: Claim) -> str:
    """Return the difference and what is claimed of it. "more" and "less" hold at daily
    looks; the interval beside them is for one look, like that of the mean.
    """
    difference = f"{_pct(measured.lift_stakes)} % {_bounds(measured.low_stakes, measured.high_stakes)}"
    if claim.kind is ClaimKind.MORE:
        return f"more than them, by {difference}"
    if claim.kind is ClaimKind.LESS:
        return f"less than them, by {difference}"
    if claim.seen_unequally:
        return (
            "no difference shown, as the prices of the two groups were not seen equally "
            f"closely, {difference}"
        )
    if _excludes_zero(measured):
        return f"no difference shown yet that holds for daily looks, {difference} for one look"
    return f"no difference shown yet, {difference}"


def _excludes_zero(measured: Lift) -> bool:
    low, high = measured.low_stakes, measured.high_stakes
    assert low is not None
    assert high is not None
    return low > 0 or high < 0


def _seeing_text(arm: ArmGrowth, late_seconds: int) -> str:
    """Return how closely the follower's prices were seen; with counts if not the same
    for all trades.
    """
    words = (
        "at the wallets' own prices less costs",
        "right behind the wallet",
        f"{late_seconds} s late",
    )
    present = [
        (count, word)
        for count, word in zip(arm.trades_by_level, words, strict=True)
        if count
    ]
    if len(present) == 1:
        return present[0][1]
    return _listed([f"{word} in {count:,}" for count, word in reversed(present)])


def _counts_text(measured: Lift) -> str:
    found, control = measured.found, measured.control
    text = f"{counted(found.trades, 'trade')} in {counted(found.tokens, 'token')}"
    text += f" against {control.trades:,} in {control.tokens:,}"
    unknown = found.unknown_trades + control.unknown_trades
    if unknown:
        text += f", {unknown:,} more not known"
    if measured.first_entry_at is not None:
        text += f", since {_date(measured.first_entry_at, measured.last_entry_at)}"
    return text


def _date(at: int, last: int | None) -> str:
    """Return day and month in UTC, with the year if the last entry is of another one."""
    first_day = datetime.fromtimestamp(at, UTC)
    text = f"{first_day.day} {_MONTHS[first_day.month - 1]}"
    if last is not None and datetime.fromtimestamp(last, UTC).year != first_day.year:
        text += f" {first_day.year}"
    return text


def _pct(stakes: float | None) -> str:
    assert stakes is not None  # asked for known figures only
    return signed_pct_text(100 * stakes)


def _bounds(low: float | None, high: float | None) -> str:
    return f"[{_pct(low)}, {_pct(high)}]"


def _listed(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
