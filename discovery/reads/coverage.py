"""Coverage of a wallet: how its units came in and left, and how much of that is known."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Count, Q, QuerySet
from msgspec import Meta

from discovery.domain.profiles import Profile
from discovery.domain.reasons import Reason, reason_label
from discovery.domain.units import Lamports, RawUnits, fraction_to_decimal
from discovery.models import BalanceChange, Trade, Wallet
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import decode_stored
from discovery.reads.watched import require_wallet

_TRADES: Final[Mapping[str, tuple[str, Q]]] = {
    "out_sale": ("sale", Q(side="sell", value_lamports__isnull=False)),
    "out_unpriced_sale": (
        "sale at an unknown price",
        Q(side="sell", value_lamports__isnull=True),
    ),
    "in_buy": ("purchase", Q(side="buy", value_lamports__isnull=False)),
    "in_unpriced_buy": (
        "purchase at an unknown price",
        Q(side="buy", value_lamports__isnull=True),
    ),
}
"""Category of trades → its words and its rows."""
_KNOWN: Final = frozenset(
    {"out_sale", "in_buy", f"out_{Reason.TRANSFER}", f"out_{Reason.BURNED}"}
)
"""Categories whose value is known: what is sent away or burned brings nothing."""


_UNSEEN: Final = frozenset(
    f"{direction}_{reason}"
    for direction in ("in", "out")
    for reason in (Reason.NOT_SEEN, Reason.HELD_BEFORE)
)


class CoverageRow(msgspec.Struct, frozen=True):
    """Transactions that moved units in one way."""

    category: Annotated[
        str,
        Meta(
            description="`out_` or `in_`, then `sale`, `buy`, `unpriced_sale`, `unpriced_buy` or a reason."
        ),
    ]
    label: str
    is_known: Annotated[
        bool, Meta(description="What the units cost or brought is known.")
    ]
    count: Annotated[int, Meta(description="Number of movements.")]
    has_transactions: Annotated[
        bool, Meta(description="False: what was not seen has none to show.")
    ]
    cost_lamports: Annotated[
        Lamports | None,
        Meta(
            description="Of outflows: cost of the units within the days of the profile; null if none is known."
        ),
    ]


class Coverage(msgspec.Struct, frozen=True):
    """Outflows and inflows of a wallet in the tokens that it traded."""

    address: str
    profiled_at: datetime | None
    known_share: Annotated[
        Decimal | None,
        Meta(
            description="Share of the cost of all outflows whose value is known, 0–1; null without an outflow."
        ),
    ]
    outflows: list[CoverageRow]
    inflows: list[CoverageRow]


class MovedUnits(msgspec.Struct, frozen=True):
    """Units that moved in one transaction."""

    signature: str
    slot: int
    block_time: datetime | None
    mint: str
    units: Annotated[RawUnits, Meta(description="In (+) or out (−).")]
    reason: str
    value_lamports: Annotated[
        Lamports | None, Meta(description="Of a trade; null if it is not known.")
    ]


def wallet_coverage(address: str) -> Coverage:
    """Return the coverage of a wallet. Three queries. Raises Wallet.DoesNotExist."""
    wallet = Wallet.objects.listed().only("profile", "profiled_at").get(pk=address)
    profile = decode_stored(wallet.profile, Profile)
    costs = _outflow_costs(profile)
    counts = _unseen_counts(profile) | _counts(address)
    outflows = _rows(counts, costs, "out_")
    return Coverage(
        address=address,
        profiled_at=wallet.profiled_at,
        known_share=_known_share(outflows),
        outflows=outflows,
        inflows=_rows(counts, {}, "in_"),
    )


def _unseen_counts(profile: Profile | None) -> dict[str, int]:
    """Return category → number of movements that no stored transaction shows."""
    if profile is None:
        return {}
    counts = {f"in_{reason}": count for reason, count in profile.inflows.items()}
    counts |= {f"out_{row.category}": row.count for row in profile.outflows}
    return {name: count for name, count in counts.items() if name in _UNSEEN}


def _outflow_costs(profile: Profile | None) -> dict[str, int]:
    """Return category → cost of the units in lamports."""
    if profile is None:
        return {}
    return {f"out_{row.category}": row.cost_lamports for row in profile.outflows}


def _counts(address: str) -> dict[str, int]:
    """Return category → number of transactions. Two queries."""
    trade_counts = Trade.objects.filter(wallet_address=address).aggregate(
        **{name: Count("pk", filter=rows) for name, (_, rows) in _TRADES.items()}
    )
    counts = {name: count for name, count in trade_counts.items() if count}
    changes = BalanceChange.objects.filter(wallet_address=address)
    grouped = changes.values("reason").annotate(
        inflows=Count("pk", filter=Q(units__gt=0)),
        outflows=Count("pk", filter=Q(units__lt=0)),
    )
    for row in grouped.order_by("reason"):
        for direction, count in (("in", row["inflows"]), ("out", row["outflows"])):
            if count:
                counts[f"{direction}_{row['reason']}"] = count
    return counts


def _rows(
    counts: Mapping[str, int], costs: Mapping[str, int], direction: str
) -> list[CoverageRow]:
    """Return the categories of one direction, largest cost first."""
    categories = {name for name in (*counts, *costs) if name.startswith(direction)}
    rows = [
        CoverageRow(
            category=category,
            label=category_label(category),
            is_known=category in _KNOWN,
            count=counts.get(category, 0),
            has_transactions=category in counts and category not in _UNSEEN,
            cost_lamports=costs.get(category),
        )
        for category in categories
    ]
    return sorted(
        rows, key=lambda row: (-(row.cost_lamports or 0), -row.count, row.label)
    )


def category_label(category: str) -> str:
    """Return a category in words."""
    if category in _TRADES:
        words, _ = _TRADES[category]
        return words
    _, _, reason = category.partition("_")
    return reason_label(reason)


def _known_share(outflows: Iterable[CoverageRow]) -> Decimal | None:
    known = total = 0
    for row in outflows:
        cost = row.cost_lamports or 0
        total += cost
        known += cost if row.is_known else 0
    return fraction_to_decimal(Fraction(known, total), 4) if total else None


def moved_units(address: str, category: str, page: Page) -> Slice[MovedUnits]:
    """Return a page of the transactions of one category, newest first; none for an
    unknown category. Three queries. Raises Wallet.DoesNotExist.
    """
    require_wallet(address)
    if category in _TRADES:
        _, chosen = _TRADES[category]
        trades = Trade.objects.filter(chosen, wallet_address=address)
        found = paging.sliced(_newest_first(trades, "side", "token_units"), page)
        rows = [_trade(row) for row in found.rows]
    else:
        direction, _, reason = category.partition("_")
        sign = Q(units__gt=0) if direction == "in" else Q(units__lt=0)
        changes = BalanceChange.objects.filter(
            sign, wallet_address=address, reason=reason
        )
        found = paging.sliced(_newest_first(changes, "units", "reason"), page)
        rows = [_change(row) for row in found.rows]
    return Slice(rows, found.total, found.more)


def _newest_first(rows: "QuerySet[Any]", *columns: str) -> "QuerySet[Any]":
    ordered = rows.order_by("-slot", "signature", "mint")
    shared = ("signature", "slot", "block_time", "mint")
    if rows.model is Trade:
        return ordered.values(*shared, *columns, "value_lamports")
    return ordered.values(*shared, *columns)


def _trade(row: Mapping[str, Any]) -> MovedUnits:
    sign = 1 if row["side"] == "buy" else -1
    return MovedUnits(
        signature=row["signature"],
        slot=row["slot"],
        block_time=row["block_time"],
        mint=row["mint"],
        units=sign * int(row["token_units"]),
        reason=row["side"],
        value_lamports=row["value_lamports"],
    )


def _change(row: Mapping[str, Any]) -> MovedUnits:
    return MovedUnits(
        signature=row["signature"],
        slot=row["slot"],
        block_time=row["block_time"],
        mint=row["mint"],
        units=int(row["units"]),
        reason=row["reason"],
        value_lamports=None,
    )
