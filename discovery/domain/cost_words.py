"""Sentences about what runs and months cost, the same on the page, in the terminal and in
the API.
"""

from typing import Final

from discovery.domain.display import counted, duration_text

ASSUMED: Final = (
    "No run of this source has been measured: the figures are assumptions (100 early buyers of a token, 600 "
    "transactions in its first minutes, 8 wallets to profile with 300 transactions each)"
)


def usage_text(calls: int, credits_used: int, seconds: float) -> str:
    """Return what a run uses: `about 12 min, 980 calls, 7,560 Helius credits`."""
    words = [f"about {duration_text(seconds)}", counted(calls, "call")]
    if credits_used:
        words.append(f"{credits_used:,} Helius credits")
    return ", ".join(words)


def basis_text(runs: int) -> str:
    """Return what an estimate rests on: so many measured runs, 0 = assumptions."""
    if not runs:
        return ASSUMED
    return f"By the costs of {last_runs_text(runs)}"


def last_runs_text(runs: int) -> str:
    """Return `the last run` or `the last 5 runs`."""
    return "the last run" if runs == 1 else f"the last {runs} runs"
