"""Notices of results that are odd: a token that trades and whose window shows nothing.

Each names the token, the figures and what an operator can do.
"""

from collections.abc import Sized
from datetime import UTC, datetime

from discovery.domain.display import counted
from discovery.domain.findings import Candidate
from discovery.pipeline.launch_window import LaunchWindow

_CLOCK_WORDS = {
    "curve": "the first transaction of its bonding curve",
    "pool": "the first transaction of its first pool",
    "jupiter": "the creation of its first pool, by Jupiter",
    "pair": "the creation of the oldest pool that is listed",
}


def nothing_to_analyse(candidate: Candidate, window: LaunchWindow | None) -> str:
    """Return why nothing is known of a token's early buyers. window: None = its launch
    is not known.
    """
    if window is None:
        return _no_launch(candidate)
    return _no_trade(candidate, window)


def all_incomplete(candidate: Candidate, buyers: Sized) -> str:
    """Return the notice that no early buyer of the token has a complete history."""
    number = counted(len(buyers), "early buyer")
    return (
        f"{_name(candidate)}: the histories of all {number} are incomplete: their balances "
        "do not follow from their transactions. A node whose lists have gaps causes this: try another one "
        f"(SOLANA_RPC_URL, HELIUS_API_KEY), then {_again(candidate)}"
    )


def _no_launch(candidate: Candidate) -> str:
    if candidate.pools:
        pools = counted(len(candidate.pools), "listed pool")
        cause = f"the node has no transaction of its {pools}"
        advice = "A node without history causes this: try another one (SOLANA_RPC_URL, HELIUS_API_KEY), then"
    else:
        cause = "no pool is known, and no bonding curve of pump.fun"
        advice = "Once DexScreener, GeckoTerminal or Jupiter lists a pool,"
    return (
        f"{_name(candidate)}: no launch time is known: {cause}. Its early buyers are not known. "
        f"{advice} {_again(candidate)}"
    )


def _no_trade(candidate: Candidate, window: LaunchWindow) -> str:
    span = f"from {_time(window.launched_at)} to {_time(window.read_end)} UTC"
    markets = counted(len(window.markets), "market")
    clock = _CLOCK_WORDS.get(window.clock, "an unknown clock")
    return (
        f"{_name(candidate)}: no trade {span} ({counted(window.transactions, 'transaction')} of {markets}), "
        f"{_reported(candidate)}: its early buyers are not known. The window begins with {clock}. Either it began in a "
        f"pool that nobody lists yet, or the node has no history that old: try another node, or {_again(candidate)}"
    )


def _reported(candidate: Candidate) -> str:
    count = candidate.transactions_24h
    if count is None:
        return "and no market reports how often it trades"
    return f"but its markets report {counted(count, 'trade')} in 24 h"


def _name(candidate: Candidate) -> str:
    if not candidate.symbol:
        return candidate.mint
    return f"{candidate.symbol} ({candidate.mint})"


def _again(candidate: Candidate) -> str:
    return f"analyse it again with manage.py discover --token {candidate.mint}"


def _time(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
