"""Parameters of the address line: their types and bounds, and what they ask of `reads`."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from discovery.domain.addresses import is_address
from discovery.models.enums import RunStatus, Trigger, WalletStatus
from discovery.reads import positions, runs, wallets
from discovery.reads.paging import MAX_ROWS, Page, TimeRange

MAX_PAGE_SIZE: Final = 100
YEARS: Final = range(1970, 2200)
_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_LOST_PLUS: Final = re.compile(r" (?=\d{2}:\d{2}$)")
"""An offset's + that nobody escaped arrives as a blank."""


@extend_schema_field(
    {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}], "examples": ["2026-11-24"]}
)
class MomentField(serializers.Field[datetime, Any, str, Any]):
    """A day or a moment, in UTC unless an offset is given. Of an end: the first moment that is not meant any more."""

    default_error_messages = {"moment": "not a day like 2026-11-24 or a time like 2026-11-24T09:00:00Z of 1970–2199"}

    def __init__(self, *, end: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.end = end

    def to_internal_value(self, data: Any) -> datetime:
        """A time with zone. Raises ValidationError."""
        text = str(data).strip()
        if "T" in text:
            text = _LOST_PLUS.sub("+", text)
        try:
            at, step = self._parsed(text)
        except ValueError:
            self.fail("moment")
        if at.year not in YEARS:
            self.fail("moment")
        return at.astimezone(UTC) + (step if self.end else timedelta())

    @staticmethod
    def _parsed(text: str) -> tuple[datetime, timedelta]:
        """The moment, and how long what was named lasts."""
        if day := _DAY.fullmatch(text):
            start = datetime.combine(date.fromisoformat(day[1]), time())
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{day[2]}").tzinfo if day[2] else UTC
            return start.replace(tzinfo=zone), timedelta(days=1)
        at = parse_datetime(text) if _MOMENT.fullmatch(text) else None
        if at is None:
            raise ValueError(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC), timedelta(microseconds=1)


class AddressField(serializers.CharField):
    """A Solana address."""

    def to_internal_value(self, data: Any) -> str:
        """The address. Raises ValidationError."""
        text = super().to_internal_value(data)
        if not is_address(text):
            raise serializers.ValidationError("not a Solana address")
        return text


class Query(serializers.Serializer[Any]):
    """The parameters of a call. One that the call does not know is refused: a misspelt filter would filter nothing."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The values. Raises ValidationError by name, unknown names among them."""
        unknown = {str(name): ["no such parameter"] for name in data if name not in self.fields}
        if unknown:
            raise serializers.ValidationError(unknown)
        values: dict[str, Any] = super().to_internal_value(data)
        return values


class PagedQuery(Query):
    """Which page."""

    page = serializers.IntegerField(min_value=1, max_value=MAX_ROWS, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=20)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Pages lie within the first 100,000 rows."""
        if (attrs["page"] - 1) * attrs["page_size"] >= MAX_ROWS:
            raise serializers.ValidationError({"page": f"beyond the first {MAX_ROWS:,} rows; narrow the filters"})
        return attrs

    @staticmethod
    def page_of(values: dict[str, Any]) -> Page:
        """The page asked for."""
        return Page(values["page"], values["page_size"])


class RangeQuery(Query):
    """A range of time."""

    start_date = MomentField(required=False, help_text="A day or a time; UTC unless an offset is given.")
    end_date = MomentField(required=False, end=True, help_text="A day, the whole of it included, or a time.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The end does not lie before the start."""
        attrs = super().validate(attrs)
        since, before = attrs.get("start_date"), attrs.get("end_date")
        if since is not None and before is not None and before <= since:
            raise serializers.ValidationError({"end_date": "lies before start_date"})
        return attrs

    @staticmethod
    def range_of(values: dict[str, Any]) -> TimeRange:
        """The range asked for."""
        return TimeRange(values.get("start_date"), values.get("end_date"))


class RunsQuery(RangeQuery, PagedQuery):
    """Which runs."""

    status = serializers.ChoiceField(choices=RunStatus.choices, required=False)
    trigger_type = serializers.ChoiceField(choices=Trigger.choices, required=False)
    ordering = serializers.ChoiceField(choices=sorted(runs.ORDERINGS), default="-started_at")

    @classmethod
    def filter_of(cls, values: dict[str, Any]) -> runs.RunFilter:
        """The filter asked for."""
        return runs.RunFilter(values.get("status"), values.get("trigger_type"), cls.range_of(values))


class ExportedQuery(PagedQuery):
    """Which page, or the whole list in another form."""

    format = serializers.ChoiceField(
        choices=["json", "csv", "ndjson"],
        required=False,
        help_text="csv and ndjson hold every row of the filter; `page` means nothing there. Wins over `Accept`.",
    )


class WalletsQuery(ExportedQuery):
    """Which wallets, and in which form."""

    status = serializers.ChoiceField(choices=WalletStatus.choices, required=False)
    min_score = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=0, max_value=1, required=False, help_text="0–1."
    )
    max_score = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=0, max_value=1, required=False, help_text="0–1."
    )
    provisional = serializers.BooleanField(required=False)
    flag = serializers.RegexField(r"^[a-z_]{1,40}$", required=False, help_text="Wallets with this flag.")
    label = serializers.CharField(max_length=100, required=False, help_text="The whole label, as written.")  # type: ignore[assignment]
    discovered_after = MomentField(required=False, help_text="Found by a run since.")
    min_cycles = serializers.IntegerField(
        min_value=0, max_value=1_000_000, required=False, help_text="Resolved cycles at least."
    )
    search = serializers.CharField(
        max_length=100, required=False, help_text="The beginning of an address, or a part of a label."
    )
    ordering = serializers.ChoiceField(choices=sorted(wallets.ORDERINGS), default="-score")

    @staticmethod
    def filter_of(values: dict[str, Any]) -> wallets.WalletFilter:
        """The filter asked for."""
        return wallets.WalletFilter(**{name: values.get(name) for name in wallets.WalletFilter.__struct_fields__})


class TradesQuery(ExportedQuery):
    """Which trades of a wallet, and in which form."""

    mint = AddressField(required=False)
    side = serializers.ChoiceField(choices=["buy", "sell"], required=False)

    @staticmethod
    def filter_of(values: dict[str, Any]) -> positions.TradeFilter:
        """The filter asked for."""
        return positions.TradeFilter(values.get("mint"), values.get("side"))
