"""The progress of the profiles of wallets that were added together."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Count, Exists, OuterRef, Q
from msgspec import Meta

from discovery.models import RunStep, Wallet
from discovery.models.enums import StepKind

_ID_FORMAT: Final = "%Y%m%dT%H%M%S%fZ"
_ADDED: Final = "+"
"""The kind of history rows with which a wallet comes to the watchlist."""


class AdditionProgress(msgspec.Struct, frozen=True):
    """How many of the wallets that were added together are profiled."""

    id: str
    added_at: datetime
    wallets: Annotated[
        int, Meta(description="Number of wallets that were added to the watchlist.")
    ]
    profiled: int
    pending: Annotated[int, Meta(description="Requested and not ended yet.")]
    failed: Annotated[
        int, Meta(description="Without a profile; `profile_error` says why.")
    ]
    not_requested: int

    @property
    def pct(self) -> int:
        """Share of the requested profiles that have ended, in percent."""
        requested = self.wallets - self.not_requested
        ended = self.profiled + self.failed
        return 100 * ended // requested if requested else 100


def addition_id(at: datetime) -> str:
    """Return the id of the wallets that were added at this time."""
    return at.astimezone(UTC).strftime(_ID_FORMAT)


def parse_addition_id(text: str) -> datetime:
    """Return the time at which the wallets were added. Raises ValueError."""
    at = datetime.strptime(text, _ID_FORMAT).replace(tzinfo=UTC)
    if addition_id(at) != text:
        raise ValueError(f"not the id of an addition: {text[:40]!r}")
    return at


def addition_progress(at: datetime) -> AdditionProgress:
    """Return the progress of the wallets that were added at this time. One query.

    Raises Wallet.DoesNotExist if none was.
    """
    rows = Wallet.history.filter(history_date=at, history_type=_ADDED)
    wallets = Wallet.objects.listed().filter(address__in=rows.values("address"))
    pending = RunStep.objects.open_lone(StepKind.PROFILE, OuterRef("address"))
    has_ended = Q(is_pending=False)
    has_profile = Q(profiled_at__isnull=False)
    counts: dict[str, Any] = wallets.annotate(is_pending=Exists(pending)).aggregate(
        wallets=Count("pk"),
        pending=Count("pk", filter=~has_ended),
        profiled=Count("pk", filter=has_ended & has_profile),
        failed=Count("pk", filter=has_ended & ~has_profile & ~Q(profile_error="")),
    )
    if not counts["wallets"]:
        raise Wallet.DoesNotExist("no wallets were added under this id")
    ended = counts["pending"] + counts["failed"] + counts["profiled"]
    return AdditionProgress(
        id=addition_id(at),
        added_at=at,
        not_requested=counts["wallets"] - ended,
        **counts,
    )
