"""What the stored facts of runs cannot tell about other parameters, in words."""

from collections.abc import Sequence
from typing import Final

from discovery.analysis.what_if import TOKEN_MINIMA, Comparison, SeenRun
from discovery.domain.display import counted
from discovery.domain.flags import ENTRY_FLAGS, flag_label
from discovery.domain.run_params import Params

_OVER_MAXIMUM: Final = "over_max_tokens"


def unknowns(
    runs: Sequence[SeenRun], params: Params, comparison: Comparison
) -> list[str]:
    """Return a sentence for everything that `params` may change and the runs did not
    read.
    """
    searched = [run for run in runs if not run.is_given]
    notes = [
        *_looser_filters(searched, params),
        _more_tokens(searched, params),
        _replacements(searched, comparison),
        _wider_window(runs, params),
        _more_buyers(runs, params),
        _later_flags(runs, params),
        _other_budget(runs, params),
        _ages(searched, params),
        _undecided(comparison),
    ]
    return [note for note in notes if note]


def _looser_filters(runs: Sequence[SeenRun], params: Params) -> list[str]:
    notes = []
    for minimum in TOKEN_MINIMA:
        required = getattr(params, minimum.param)
        looser = [run for run in runs if required < getattr(run.params, minimum.param)]
        words = f"below the minimum {minimum.words}"
        notes.append(_not_read(_removed(looser, minimum.reason), words))
    hours = params.max_token_age_hours
    looser = [run for run in runs if hours > run.params.max_token_age_hours]
    notes.append(_not_read(_removed(looser, "too_old"), "older than the maximum age"))
    return notes


def _more_tokens(runs: Sequence[SeenRun], params: Params) -> str:
    larger = [run for run in runs if params.max_tokens > run.params.max_tokens]
    words = "beyond the maximum number of tokens"
    return _not_read(_removed(larger, _OVER_MAXIMUM), words)


def _replacements(runs: Sequence[SeenRun], comparison: Comparison) -> str:
    if not comparison.removed_tokens or not _removed(runs, _OVER_MAXIMUM):
        return ""
    return (
        "In place of the removed tokens, others would be analysed that were beyond the maximum number of tokens: "
        "their early buyers were not read."
    )


def _removed(runs: Sequence[SeenRun], reason: str) -> int:
    """Return how many tokens a filter removed in these runs."""
    return sum(run.funnel.get(f"token_{reason}", 0) for run in runs)


def _not_read(count: int, words: str) -> str:
    if not count:
        return ""
    return f"{counted(count, 'token')} {words}: the early buyers were not read, so who would enter is not known."


def _wider_window(runs: Sequence[SeenRun], params: Params) -> str:
    window = params.early_window_minutes
    read = {run.params.early_window_minutes for run in runs}
    if not any(minutes < window for minutes in read):
        return ""
    return (
        f"The runs read the first {min(read)} min after a launch: who bought later, within {window} min, "
        "is not known."
    )


def _more_buyers(runs: Sequence[SeenRun], params: Params) -> str:
    maximum = params.max_early_buyers
    smaller = [run for run in runs if run.params.max_early_buyers < maximum]
    tokens = sum(run.funnel.get("window_cut", 0) for run in smaller)
    if not tokens:
        return ""
    return (
        f"The runs read the first early buyers of {counted(tokens, 'token')} that had more: who came after them, up to "
        f"number {maximum:,}, is not known."
    )


def _later_flags(runs: Sequence[SeenRun], params: Params) -> str:
    changed: set[str] = set()
    for run in runs:
        changed |= set(run.params.excluded_flags) ^ set(params.excluded_flags)
    later = sorted(map(flag_label, changed - ENTRY_FLAGS))
    if not later:
        return ""
    return (
        f"These flags are known only after a wallet is profiled, so they do not decide who qualifies: "
        f"{', '.join(later)}."
    )


def _other_budget(runs: Sequence[SeenRun], params: Params) -> str:
    limit = params.max_requests_per_run
    if limit is None or all(run.params.max_requests_per_run == limit for run in runs):
        return ""
    return f"Which tokens a run would not reach with {limit:,} provider calls is not known."


def _ages(runs: Sequence[SeenRun], params: Params) -> str:
    hours = params.max_token_age_hours
    if all(hours >= run.params.max_token_age_hours for run in runs):
        return ""
    return (
        "Ages count from the launch that the analysis found; a search knows it less exactly, so that it may decide "
        "otherwise in single cases."
    )


def _undecided(comparison: Comparison) -> str:
    if not comparison.unknown:
        return ""
    wallets = counted(comparison.unknown, "wallet")
    return (
        f"Not known for {wallets} that qualified: the time of the first purchase after the "
        "launch, or the launch, is not stored."
    )
