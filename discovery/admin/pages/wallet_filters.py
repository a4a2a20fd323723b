"""The filters of the watchlist page. They are those of the API, but scores run from 0
to 100.
"""

from decimal import Decimal
from typing import Any, Final

import django_filters
from django import forms

from discovery.domain.flags import FLAG_NAMES
from discovery.reads.filters import MAX_CYCLES, IntegerFilter, WalletFilterSet

MAX_SCORE: Final = 100
MAX_SEARCH_LENGTH: Final = 100
_SCORE_PROBLEM: Final = "Score: a whole number of 0 to 100."
_CYCLES_PROBLEM: Final = "Cycles: a whole number."


def _messages(problem: str) -> dict[str, str]:
    return dict.fromkeys(("invalid", "min_value", "max_value"), problem)


class ScoreField(forms.IntegerField):
    """A score of 0–100, which becomes one of 0–1."""

    def clean(self, value: Any) -> Decimal | None:
        """Return the score from 0 to 1, or None if the field is empty. Raises
        ValidationError.
        """
        score = super().clean(value)
        if score is None:
            return None
        return Decimal(score) / MAX_SCORE


class SearchField(forms.CharField):
    """A text of any length, of which the beginning is searched for."""

    def to_python(self, value: Any) -> str:
        """Return the text without null characters, which the database refuses."""
        text = super().to_python(value) or ""
        return text.replace("\x00", "").strip()[:MAX_SEARCH_LENGTH]


class ScoreFilter(django_filters.Filter):  # type: ignore[misc]  # the package ships no types
    """Rows by a score of 0–100."""

    field_class = ScoreField


class SearchFilter(django_filters.Filter):  # type: ignore[misc]
    """Rows by a text that a person typed."""

    field_class = SearchField


class WatchlistFilterSet(WalletFilterSet):
    """The filters of the page. `problems` has messages for the numbers alone: other
    values are selected from lists.
    """

    min_score = ScoreFilter(
        "score",
        "gte",
        min_value=0,
        max_value=MAX_SCORE,
        error_messages=_messages(_SCORE_PROBLEM),
    )
    min_cycles = IntegerFilter(
        "resolved_cycles",
        "gte",
        min_value=0,
        max_value=MAX_CYCLES,
        error_messages=_messages(_CYCLES_PROBLEM),
    )
    flag = django_filters.ChoiceFilter(
        field_name="flags",
        lookup_expr="has_key",
        choices=[(name, name) for name in FLAG_NAMES],
    )
    search = SearchFilter(method="filter_search")

    @property
    def problems(self) -> list[str]:
        """Return what is wrong with the numbers; an empty list if nothing is."""
        errors = self.form.errors
        return [*errors.get("min_score", ()), *errors.get("min_cycles", ())]

    @property
    def api_query(self) -> dict[str, Any]:
        """The valid filters that are set, as query parameters of the API: scores from 0
        to 1.
        """
        values = self.form.cleaned_data
        return {name: values[name] for name in values if values[name] not in ("", None)}
