"""How many early buyers of a run a filter rejected, and how many of them are still stored
for it.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.db.models import Count

from discovery.models import Position, Run, RunToken

QUALIFIED: Final = "qualified"
_REJECTED: Final = "rejected_"


class BuyerCounts(msgspec.Struct, frozen=True):
    """Early buyers of a run, or of one token of it, by the reason for which they did not
    qualify, "" = qualified.

    stored: rows of the run, most first. counted: by the run when it ended, empty while
    it is active and for runs of the earlier system. A wallet has one position for each
    token: if a later run analyses the token again, its position belongs to that run.
    """

    stored: dict[str, int]
    counted: dict[str, int]

    def seen_later(self, rejection: str | None) -> int:
        """Return how many counted buyers of a reason are stored for a later run. None:
        of all reasons.
        """
        reasons = self.counted if rejection is None else [rejection]
        missing = (
            self.counted.get(reason, 0) - self.stored.get(reason, 0)
            for reason in reasons
        )
        return sum(max(0, count) for count in missing)


def buyer_counts(run_id: uuid.UUID, mint: str = "") -> BuyerCounts:
    """Return the counts of a run, or of one token of it. Two queries.

    mint: "" = of all tokens.
    """
    positions = Position.objects.filter(run_id=run_id)
    if mint:
        positions = positions.filter(mint=mint)
    grouped = positions.values("rejection").annotate(count=Count("pk"))
    rows = grouped.order_by("-count", "rejection")
    return BuyerCounts(
        stored={row["rejection"]: row["count"] for row in rows},
        counted=_counted(_funnel(run_id, mint)),
    )


def _funnel(run_id: uuid.UUID, mint: str) -> Mapping[str, Any]:
    if mint:
        tokens = RunToken.objects.filter(run_id=run_id, mint=mint)
        return tokens.values_list("funnel", flat=True).first() or {}
    runs = Run.objects.filter(pk=run_id)
    return runs.values_list("funnel", flat=True).first() or {}


def _counted(funnel: Mapping[str, Any]) -> dict[str, int]:
    counted = {
        name.removeprefix(_REJECTED): count
        for name, count in funnel.items()
        if name.startswith(_REJECTED)
    }
    if QUALIFIED in funnel:
        counted[""] = funnel[QUALIFIED]
    return counted


def opened_by(name: str) -> str | None:
    """Return the reason whose early buyers an entry of the funnel counts, "qualified" for
    those that qualified, "" for all of them. None: it counts no stored early buyers.
    """
    if name == "early_buyers":
        return ""
    if name == QUALIFIED:
        return QUALIFIED
    if name.startswith(_REJECTED):
        return name.removeprefix(_REJECTED)
    return None
