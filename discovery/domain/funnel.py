"""The funnel of a run: how many candidates each filter rejected, in the order of the
filters.
"""

from collections.abc import Mapping
from typing import Final

from discovery.domain.run_errors import ErrorCode

_ORDER: Final = (
    "given",
    "candidates",
    "token_",  # rejected tokens, by reason
    "tokens",
    "tokens_failed",
    ErrorCode.BUDGET,
    "bought_in_window",
    "plumbing",
    "not_first_acquired_by_buying",
    "early_buyers",
    "rejected_",  # rejected early buyers, by reason
    "qualified",
    "skipped_",  # transactions without a trade, by reason
)
"""Names of filters; a name with `_` at its end is a prefix."""


def ordered_funnel(funnel: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names and counts in the order of the filters, which JSON columns do not
    keep. Unknown names come last.
    """
    return sorted(funnel.items(), key=lambda item: (_place(item[0]), item[0]))


def _place(name: str) -> int:
    for place, filter_name in enumerate(_ORDER):
        if name == filter_name:
            return place
        if filter_name.endswith("_") and name.startswith(filter_name):
            return place
    return len(_ORDER)
