"""Filters of lists, shared by the API and the operator pages.

A filter set validates its parameters as a form does. `qs` ignores filters whose value
is not valid: the API refuses such a request, the pages show the rows of the other
filters.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from discovery.domain.addresses import is_address
from discovery.domain.wallet_labels import MAX_LABEL_LENGTH, MAX_TAG_LENGTH
from discovery.models import Position, Run, RunToken, Trade, Wallet
from discovery.models.enums import (
    LISTED_ORIGINS,
    Knowledge,
    RunStatus,
    Trigger,
    VerdictChoice,
    WalletStatus,
)
from discovery.reads import runs, wallets
from discovery.reads.paging import TimeRange

YEARS: Final = range(1970, 2200)
MAX_CYCLES: Final = 1_000_000
_MOMENT: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?P<time>T\d{2}:\d{2}:\d{2}(\.\d{1,6})?)?(?P<offset>Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_UNESCAPED_PLUS: Final = re.compile(r" (?=\d{2}:\d{2}$)")
"""A `+` that was not escaped in a query string arrives as a space."""


class MomentField(forms.Field):
    """A day or a time, in UTC unless an offset is given.

    With `is_end` the value is the first moment after the day or time, so that a range
    includes the whole day.
    """

    default_error_messages = {
        "invalid": "not a day like 2026-11-24 or a time like 2026-11-24T09:00:00Z of 1970–2199"
    }

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_end = is_end

    def to_python(self, value: Any) -> datetime | None:
        """Return the time in UTC, or None if the field is empty. Raises
        ValidationError.
        """
        if value in self.empty_values:
            return None
        try:
            moment = _parse_moment(str(value).strip())
        except ValueError:
            raise ValidationError(
                self.error_messages["invalid"], code="invalid"
            ) from None
        return moment.end if self.is_end else moment.start


class _Moment(NamedTuple):
    """A day or a time: its first moment, and the first moment after it."""

    start: datetime
    end: datetime


def _parse_moment(text: str) -> _Moment:
    """Return the day or time in `text`, in UTC. Raises ValueError, also for a year that
    is not among YEARS.
    """
    if "T" in text:
        text = _UNESCAPED_PLUS.sub("+", text)
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    if match["time"] is None:
        time, duration = "T00:00:00", timedelta(days=1)
    else:
        time, duration = match["time"], timedelta(microseconds=1)
    offset = match["offset"] or "Z"
    local_start = datetime.fromisoformat(f"{match['day']}{time}{offset}")
    if local_start.year not in YEARS:
        raise ValueError(text)
    start = local_start.astimezone(UTC)
    return _Moment(start, start + duration)


class SolanaAddressField(forms.CharField):
    """A Solana address."""

    def validate(self, value: str) -> None:
        """Raise ValidationError unless the value is empty or an address."""
        super().validate(value)
        if value and not is_address(value):
            raise ValidationError("not a Solana address", code="invalid")


class SwitchField(forms.TypedChoiceField):
    """True or false, as one of the usual words."""

    TRUE: Final = ("true", "t", "yes", "y", "on", "1")
    FALSE: Final = ("false", "f", "no", "n", "off", "0")

    def __init__(self, **kwargs: Any) -> None:
        words = [(word, word) for word in (*self.TRUE, *self.FALSE)]
        super().__init__(
            choices=words, coerce=self.TRUE.__contains__, empty_value=None, **kwargs
        )

    def to_python(self, value: Any) -> str:
        """Return the word in lower case."""
        word: str = super().to_python(value)
        return word.lower()


class MomentFilter(django_filters.Filter):  # type: ignore[misc]  # the package ships no types
    """Rows from, or until, a day or a time."""

    field_class = MomentField


class AddressFilter(django_filters.Filter):  # type: ignore[misc]
    """Rows of one address."""

    field_class = SolanaAddressField


class SwitchFilter(django_filters.Filter):  # type: ignore[misc]
    """Rows for which a column is true, or false."""

    field_class = SwitchField


class IntegerFilter(django_filters.Filter):  # type: ignore[misc]
    """Rows by a whole number."""

    field_class = forms.IntegerField


class DecimalFilter(django_filters.Filter):  # type: ignore[misc]
    """Rows by a number."""

    field_class = forms.DecimalField


class PatternFilter(django_filters.Filter):  # type: ignore[misc]
    """Rows by a text that matches a pattern."""

    field_class = forms.RegexField


class NamedOrderingFilter(django_filters.ChoiceFilter):  # type: ignore[misc]
    """Sort the rows. Each name stands for several columns: the order is unique, and an
    index serves it.
    """

    def __init__(
        self, orderings: Mapping[str, tuple[Any, ...]], *, default: str
    ) -> None:
        super().__init__(
            choices=[(name, name) for name in sorted(orderings)], initial=default
        )
        self.orderings = orderings
        self.default = default

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Return the rows in the named order, or in the default order without a name."""
        return rows.order_by(*self.orderings[value or self.default])


class TimeRangeForm(forms.Form):
    """A form with the start and the end of a range of time."""

    def clean(self) -> dict[str, Any]:
        """Add an error if the end is before the start."""
        values = self.cleaned_data
        start, end = values.get("start_date"), values.get("end_date")
        if start is None or end is None:
            return values
        if end <= start:
            self.add_error("end_date", "lies before start_date")
        return values


class RunRangeFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Runs that began within a range of time."""

    start_date = MomentFilter(
        "started_at", "gte", help_text="A day or a time; UTC unless an offset is given."
    )
    end_date = MomentFilter(
        "started_at",
        "lt",
        is_end=True,
        help_text="A day, the whole of it included, or a time.",
    )

    class Meta:
        model = Run
        fields: tuple[str, ...] = ()
        form = TimeRangeForm

    @property
    def time_range(self) -> TimeRange:
        """The range of a valid filter set; an end that was left out is None."""
        values = self.form.cleaned_data
        return TimeRange(values["start_date"], values["end_date"])


class RunFilterSet(RunRangeFilterSet):
    """The history of runs."""

    status = django_filters.ChoiceFilter(choices=RunStatus.choices)
    trigger_type = django_filters.ChoiceFilter(choices=Trigger.choices)
    ordering = NamedOrderingFilter(runs.ORDERINGS, default="-started_at")


class WalletFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """The watchlist, which control wallets are not on. Scores run from 0 to 1."""

    status = django_filters.ChoiceFilter(choices=WalletStatus.choices)
    min_score = DecimalFilter(
        "score",
        "gte",
        min_value=0,
        max_value=1,
        max_digits=5,
        decimal_places=4,
        help_text="0–1.",
    )
    max_score = DecimalFilter(
        "score",
        "lte",
        min_value=0,
        max_value=1,
        max_digits=5,
        decimal_places=4,
        help_text="0–1.",
    )
    verdict = django_filters.ChoiceFilter(choices=VerdictChoice.choices)
    min_edge_low = DecimalFilter(
        "edge_low_pct",
        "gte",
        min_value=-200,
        max_value=10_000,
        max_digits=9,
        decimal_places=4,
        help_text="Least lower end of the edge's interval, in % of the stake.",
    )
    flag = PatternFilter(
        "flags",
        "has_key",
        regex=r"^[a-z_]{1,40}$",
        strip=True,
        help_text="Wallets with this flag.",
    )
    label = django_filters.CharFilter(
        max_length=MAX_LABEL_LENGTH, help_text="The whole label, as written."
    )
    tag = django_filters.CharFilter(
        method="filter_tag",
        max_length=MAX_TAG_LENGTH,
        help_text="The whole tag, as written.",
    )
    origin = django_filters.ChoiceFilter(choices=LISTED_ORIGINS)
    pinned = SwitchFilter("is_pinned", help_text="Whether the wallet is pinned.")
    discovered_after = MomentFilter(
        "last_discovered_at", "gte", help_text="Found by a run since."
    )
    min_cycles = IntegerFilter(
        "resolved_cycles",
        "gte",
        min_value=0,
        max_value=MAX_CYCLES,
        help_text="Minimum number of resolved cycles.",
    )
    search = django_filters.CharFilter(
        method="filter_search",
        max_length=MAX_LABEL_LENGTH,
        help_text="The beginning of an address, or a part of a label.",
    )
    ordering = NamedOrderingFilter(wallets.ORDERINGS, default="-edge_low_pct")

    class Meta:
        model = Wallet
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any = None, queryset: Any = None, **options: Any) -> None:
        if queryset is None:
            queryset = Wallet.objects.listed()
        super().__init__(data, queryset, **options)

    def filter_tag(
        self, rows: QuerySet[Wallet], _name: str, value: str
    ) -> QuerySet[Wallet]:
        """Return the wallets with this tag."""
        return rows.filter(tags__contains=[value])

    def filter_search(
        self, rows: QuerySet[Wallet], _name: str, value: str
    ) -> QuerySet[Wallet]:
        """Return the wallets whose address begins with `value` or whose label contains
        it.
        """
        # Only few wallets have a label, and the partial index contains only these.
        is_labelled = Q(label__icontains=value) & ~Q(label="")
        return rows.filter(Q(address__startswith=value) | is_labelled)


class TradeFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Trades of a wallet."""

    mint = AddressFilter()
    side = django_filters.ChoiceFilter(choices=Trade._meta.get_field("side").choices)

    class Meta:
        model = Trade
        fields: tuple[str, ...] = ()


class RunTokenFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Tokens of a run."""

    creator_known = SwitchFilter(
        method="filter_creator", help_text="Whether the creator is known."
    )

    class Meta:
        model = RunToken
        fields: tuple[str, ...] = ()

    def filter_creator(
        self, rows: QuerySet[RunToken], _name: str, value: bool
    ) -> QuerySet[RunToken]:
        """Return the analysed tokens whose creator is known, or those whose is not."""
        analysed = rows.filter(early_buyers__isnull=False)
        if value:
            return analysed.exclude(creator="")
        return analysed.filter(creator="")


class EarlyBuyerFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Early buyers of a run."""

    mint = AddressFilter()
    qualified = SwitchFilter(
        method="filter_qualified", help_text="Whether the wallet qualified."
    )
    rejection = PatternFilter(
        "rejection",
        "exact",
        regex=r"^[a-z_]{1,40}$",
        strip=True,
        help_text="Reason for which it did not qualify, such as `profit`.",
    )
    knowledge = django_filters.ChoiceFilter(choices=Knowledge.choices)

    class Meta:
        model = Position
        fields: tuple[str, ...] = ()

    def filter_qualified(
        self, rows: QuerySet[Position], _name: str, value: bool
    ) -> QuerySet[Position]:
        """Return those that qualified, or those that did not."""
        return rows.filter(rejection="") if value else rows.exclude(rejection="")
