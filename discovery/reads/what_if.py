"""Which wallets the last runs would have found with other parameters, and how those did:
from stored facts, without a request to a provider.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from statistics import fmean
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from discovery.analysis.what_if import Comparison, Decision, SeenRun, compare
from discovery.analysis.what_if_limits import unknowns
from discovery.domain.display import counted
from discovery.domain.run_params import Params
from discovery.domain.units import Lamports
from discovery.models import Wallet
from discovery.models.enums import VerdictChoice, WalletOrigin
from discovery.reads.row_values import one_of
from discovery.reads.run_facts import SeenRuns, growths, load_runs

DEFAULT_RUNS: Final = 5
MAX_RUNS: Final = 20
MAX_WALLETS: Final = 100


class WhatIfWallet(msgspec.Struct, frozen=True):
    """A wallet that would enter or leave, with the token that decides: the one with the
    best profit.
    """

    address: str
    run_id: uuid.UUID
    run_at: datetime
    mint: str
    symbol: str
    profit_pct: Decimal | None
    cost_lamports: Lamports
    entry_rank: Annotated[int | None, Meta(description="1 = first buyer of the token.")]
    entry_seconds: Annotated[
        int | None, Meta(description="Seconds from launch to the first buy.")
    ]
    flags: Annotated[
        tuple[str, ...], Meta(description="Those that are known before a profile.")
    ]
    was: Annotated[str, Meta(description="What the run decided, in words.")]
    now: Annotated[str, Meta(description="What the other parameters decide, in words.")]
    verdict: Annotated[
        str | None,
        one_of(VerdictChoice, "Of the wallet now; null if it is not judged."),
    ]
    edge_pct: Annotated[
        Decimal | None,
        Meta(description="What following it gains a trade now, in % of the stake."),
    ]
    is_listed: Annotated[bool, Meta(description="It is on the watchlist now.")]


class WhatIfOutcome(msgspec.Struct, frozen=True):
    """How wallets did for a follower in the seven days after they were judged."""

    measured: Annotated[int, Meta(description="Wallets with a known outcome.")]
    mean_growth_pct: Annotated[
        float | None,
        Meta(
            description="Mean of their growths a trade, in % of the stake; null if none is measured."
        ),
    ]


class WhatIfGroup(msgspec.Struct, frozen=True):
    """The wallets that would enter, or those that would leave."""

    total: int
    wallets: Annotated[
        list[WhatIfWallet], Meta(description="At most 100, best profit first.")
    ]
    outcome: WhatIfOutcome


class WhatIf(msgspec.Struct, frozen=True):
    """What other parameters would change in the results of the last runs."""

    runs: Annotated[int, Meta(description="Runs that were compared.")]
    since: Annotated[
        datetime | None, Meta(description="Start of the oldest of them; null = no run.")
    ]
    early_buyers: Annotated[int, Meta(description="Early buyers that were compared.")]
    qualified: Annotated[int, Meta(description="Wallets that qualified.")]
    qualified_after: Annotated[
        int, Meta(description="Wallets that would qualify, as far as is known.")
    ]
    entering: WhatIfGroup
    leaving: WhatIfGroup
    summary: str
    notes: Annotated[
        list[str],
        Meta(description="What the stored facts cannot tell, and how to read this."),
    ]


def what_if(params: Params, *, saved: Params, runs: int = DEFAULT_RUNS) -> WhatIf:
    """Return which wallets of the last `runs` runs would enter or leave with `params`.
    At most six queries.

    runs: 1–20, those that analysed a token and have ended. saved: the parameters of the
    configuration, for the note on runs that used others.
    """
    seen = load_runs(runs)
    comparison = compare(seen.runs, params)
    wallets = [row.buyer.wallet for row in comparison.entering + comparison.leaving]
    later = growths(wallets, seen)
    shown = comparison.entering[:MAX_WALLETS] + comparison.leaving[:MAX_WALLETS]
    judged = _judged(row.buyer.wallet for row in shown)
    rows = [_wallet(row, params, seen, judged.get(row.buyer.wallet)) for row in shown]
    entering_count = min(len(comparison.entering), MAX_WALLETS)
    entering = _group(comparison.entering, rows[:entering_count], later)
    leaving = _group(comparison.leaving, rows[entering_count:], later)
    return WhatIf(
        runs=len(seen.runs),
        since=min(seen.started_at.values(), default=None),
        early_buyers=sum(len(run.buyers) for run in seen.runs),
        qualified=comparison.qualified,
        qualified_after=comparison.qualified_after,
        entering=entering,
        leaving=leaving,
        summary=_summary(len(seen.runs), comparison, entering, leaving),
        notes=[
            *unknowns(seen.runs, params, comparison),
            *_notes_on_runs(seen.runs, saved),
        ],
    )


def _judged(wallets: Iterable[str]) -> dict[str, dict[str, Any]]:
    rows = Wallet.objects.filter(address__in=list(wallets)).values(
        "address", "origin", "verdict", "edge_pct", "profiled_at"
    )
    return {row["address"]: dict(row) for row in rows}


def _group(
    decisions: Sequence[Decision],
    rows: list[WhatIfWallet],
    later: Mapping[str, float],
) -> WhatIfGroup:
    """Return a group with the rows of its first wallets. later: growth by wallet."""
    measured = [
        later[row.buyer.wallet] for row in decisions if row.buyer.wallet in later
    ]
    mean_growth_pct = fmean(measured) * 100 if measured else None
    return WhatIfGroup(
        total=len(decisions),
        wallets=rows,
        outcome=WhatIfOutcome(len(measured), mean_growth_pct),
    )


def _wallet(
    row: Decision, params: Params, seen: SeenRuns, judged: Mapping[str, Any] | None
) -> WhatIfWallet:
    buyer, figures = row.buyer, row.buyer.figures
    is_judged = judged is not None and judged["profiled_at"] is not None
    return WhatIfWallet(
        address=buyer.wallet,
        run_id=row.run.run_id,
        run_at=seen.started_at[row.run.run_id],
        mint=buyer.mint,
        symbol=seen.symbols.get(buyer.mint, ""),
        profit_pct=figures.profit_pct,
        cost_lamports=figures.cost_lamports,
        entry_rank=buyer.entry_rank,
        entry_seconds=figures.entry_seconds,
        flags=tuple(figures.flags),
        was=row.was,
        now=row.now(params),
        verdict=judged["verdict"] if judged is not None and is_judged else None,
        edge_pct=judged["edge_pct"] if judged is not None and is_judged else None,
        is_listed=judged is not None and judged["origin"] != WalletOrigin.CONTROL,
    )


def _summary(
    runs: int, comparison: Comparison, entering: WhatIfGroup, leaving: WhatIfGroup
) -> str:
    if not runs:
        return "No run has ended yet that analysed a token: there is nothing to compare with."
    period = "the last run" if runs == 1 else f"the last {runs} runs"
    before = counted(comparison.qualified, "wallet")
    sentences = [f"In {period} {before} qualified."]
    if not entering.total and not leaving.total:
        sentences.append(
            "With these parameters none of them would leave, and none would enter."
        )
        return " ".join(sentences)
    sentences.append(
        f"With these parameters {comparison.qualified_after:,} would: {entering.total:,} would enter, "
        f"{leaving.total:,} would leave."
    )
    sentences += [
        _outcome_text("leave", leaving),
        _outcome_text("enter", entering),
    ]
    return " ".join(filter(None, sentences))


def _outcome_text(verb: str, group: WhatIfGroup) -> str:
    if not group.total:
        return ""
    growth, measured = group.outcome.mean_growth_pct, group.outcome.measured
    if growth is None:
        return f"How those did that would {verb} is not measured."
    sign = f"{growth:+.1f}".replace("-", "−")
    return (
        f"Those that would {verb} earned a follower {sign} % of the stake a trade in the 7 days after they were "
        f"judged (mean of {measured:,} of {counted(group.total, 'wallet')})."
    )


def _notes_on_runs(runs: Sequence[SeenRun], saved: Params) -> list[str]:
    notes = []
    others = sum(run.params != saved for run in runs)
    if others:
        notes.append(
            f"{others} of {len(runs)} runs used other parameters than those saved now: each is compared with what it "
            "decided by its own."
        )
    counted = sum(run.funnel.get("early_buyers", 0) for run in runs)
    stored = sum(len(run.buyers) for run in runs)
    if counted > stored:
        notes.append(
            f"{stored:,} of {counted:,} early buyers are compared: later runs have seen the others again."
        )
    return notes
