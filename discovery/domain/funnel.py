"""The funnel of a run: how many candidates each filter rejected, in the order of the
filters.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from discovery.domain.run_errors import ErrorCode

_ORDER: Final = (
    "given",
    "candidates",
    "token_*",  # rejected tokens, by reason
    "tokens",
    "tokens_failed",
    ErrorCode.BUDGET,
    "no_launch_time",
    "window_without_trade",
    "window_cut",
    "bought_in_window",
    "plumbing",
    "not_first_acquired_by_buying",
    "early_buyers",
    "rejected_*",  # rejected early buyers, by reason
    "qualified",
    "priced_by_second_source",
    "skipped_*",  # transactions without a trade, by reason
)
"""Names of filters; `*` stands for any reason."""


def ordered_funnel(funnel: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names and counts in the order of the filters, which JSON columns do not
    keep. Unknown names come last.
    """
    return sorted(funnel.items(), key=lambda item: (_place(item[0]), item[0]))


def _place(name: str) -> int:
    """Return the place of a name in the order, that after the last if it has none."""
    for place, pattern in enumerate(_ORDER):
        if fnmatchcase(name, pattern):
            return place
    return len(_ORDER)
