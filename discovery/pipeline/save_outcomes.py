"""Outcomes in the database: which are due, and what was measured. Each is stored once."""

from collections.abc import Iterable
from datetime import datetime

from discovery.analysis.evidence import growth
from discovery.analysis.token_results import TokenResult
from discovery.domain.times import datetime_from_unix, unix_from_datetime
from discovery.models import Outcome, OutcomeToken
from discovery.pipeline.measure_outcomes import DueOutcome, MeasuredOutcome
from discovery.pipeline.save_trades import BATCH


def due_outcomes(
    addresses: Iterable[str], now: datetime
) -> dict[str, list[DueOutcome]]:
    """Return wallet → its outcomes that are due, oldest first. One query."""
    rows = (
        Outcome.objects.due(now)
        .filter(snapshot__wallet_address__in=list(addresses))
        .order_by("due_at", "pk")
        .values_list("pk", "snapshot__wallet_address", "snapshot__at", "due_at")
    )
    due: dict[str, list[DueOutcome]] = {}
    for outcome_id, address, at, due_at in rows:
        outcome = DueOutcome(
            outcome_id, unix_from_datetime(at), unix_from_datetime(due_at)
        )
        due.setdefault(address, []).append(outcome)
    return due


def save_outcomes(measured: Iterable[MeasuredOutcome], now: datetime) -> int:
    """Save outcomes that were not measured yet; return how many. Called inside a
    transaction.
    """
    by_id = {outcome.id: outcome for outcome in measured}
    rows = list(
        Outcome.objects.select_for_update()
        .filter(pk__in=by_id, measured_at__isnull=True)
        .order_by("pk")
    )
    tokens: list[OutcomeToken] = []
    for row in rows:
        outcome = by_id[row.pk]
        row.measured_at = now
        row.problem = outcome.problem
        if not outcome.problem:
            _set_figures(row, outcome)
        tokens += [_token_row(row, result) for result in outcome.results]
    columns = [
        "measured_at",
        "problem",
        "tokens",
        "known_tokens",
        "trades",
        "leader_growth",
        "follower_growth",
        "stopped",
    ]
    Outcome.objects.bulk_update(rows, columns, batch_size=BATCH)
    OutcomeToken.objects.bulk_create(tokens, batch_size=BATCH)
    return len(rows)


def _set_figures(row: Outcome, outcome: MeasuredOutcome) -> None:
    known = [each for each in outcome.results if each.leader_return is not None]
    row.tokens = len(outcome.results)
    row.known_tokens = len(known)
    row.trades = outcome.trades
    row.stopped = not outcome.purchases
    row.leader_growth = _mean([growth(each.leader_return or 0.0) for each in known])
    row.follower_growth = _mean([growth(each.follower_returns[-1]) for each in known])


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _token_row(row: Outcome, result: TokenResult) -> OutcomeToken:
    costs, behind, late = (*result.follower_returns, None, None, None)[:3]
    return OutcomeToken(
        outcome=row,
        mint=result.mint,
        entry_at=datetime_from_unix(result.entry_at),
        put_in_lamports=result.put_in_lamports,
        proceeds_lamports=round(result.proceeds_lamports),
        bag_lamports=round(result.bag_lamports),
        leader_return=result.leader_return,
        follower_return_costs=costs,
        follower_return_behind=behind,
        follower_return_late=late,
        unknown_reason=result.unknown or "",
    )
