"""The funnel of a run: how many candidates fell at each filter, in the order of the filters."""

from collections.abc import Mapping
from typing import Final

from discovery.domain.run_errors import ErrorCode

_ORDER: Final = (
    "given",
    "candidates",
    "token_",  # a token that fell, by reason
    "tokens",
    "tokens_failed",
    ErrorCode.BUDGET,
    "bought_in_window",
    "plumbing",
    "not_first_acquired_by_buying",
    "early_buyers",
    "rejected_",  # an early buyer that fell, by reason
    "qualified",
    "skipped_",  # a transaction that was no trade, by reason
)


def ordered_funnel(funnel: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names and counts in the order of the filters: the database keeps none. Names of another time come last."""

    def place(name: str) -> tuple[int, str]:
        for number, prefix in enumerate(_ORDER):
            if name == prefix or (prefix.endswith("_") and name.startswith(prefix)):
                return number, name
        return len(_ORDER), name

    return sorted(funnel.items(), key=lambda item: place(item[0]))
