"""Rows of the answer to "why is this address on the watchlist, or why not?"."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from discovery.domain.units import Lamports
from discovery.models.enums import (
    Knowledge,
    VerdictChoice,
    WalletOrigin,
    WalletStatus,
)
from discovery.reads.row_values import one_of

WhyKind = Literal["listed", "control", "rejected", "token", "never_seen"]
"""What is known of an address."""


class Thresholds(msgspec.Struct, frozen=True):
    """The parameters that decide whether an early buyer qualifies."""

    min_profit_pct: Decimal
    min_cost_sol: Decimal
    early_window_minutes: int
    max_early_buyers: int
    excluded_flags: tuple[str, ...]


class ListedWallet(msgspec.Struct, frozen=True):
    """The wallet as the watchlist shows it now; a control wallet likewise."""

    verdict: Annotated[str, one_of(VerdictChoice)]
    verdict_reason: str
    score: Annotated[Decimal | None, Meta(description="0–1.")]
    edge_pct: Annotated[
        Decimal | None,
        Meta(description="What following it gains a trade, in % of the stake."),
    ]
    edge_low_pct: Decimal | None
    edge_high_pct: Decimal | None
    status: Annotated[str, one_of(WalletStatus)]
    origin: Annotated[str, one_of(WalletOrigin, "How it came to the list.")]
    label: str
    since: Annotated[datetime, Meta(description="Time at which it was first found.")]
    discovery_count: Annotated[int, Meta(description="Number of runs that found it.")]
    profiled_at: datetime | None


class WhyDiscovery(msgspec.Struct, frozen=True):
    """A run that found the wallet, through a token."""

    run_id: uuid.UUID
    run_at: datetime
    mint: str
    symbol: str
    profit_pct: Decimal | None
    cost_lamports: Lamports | None
    entry_rank: int | None
    entry_seconds: int | None


class WhyControl(msgspec.Struct, frozen=True):
    """A run that took the wallet as a control wallet."""

    run_id: uuid.UUID
    run_at: datetime
    mint: str
    symbol: str
    matched_wallet: Annotated[
        str, Meta(description="The wallet that qualified, to which it was matched.")
    ]


class WhyPosition(msgspec.Struct, frozen=True):
    """The wallet as an early buyer of a token, as the last run that analysed the token
    saw it.
    """

    run_id: Annotated[
        uuid.UUID | None, Meta(description="Null if the run was deleted.")
    ]
    run_at: datetime | None
    mint: str
    symbol: str
    rejection: Annotated[
        str,
        Meta(description="Reason for which it did not qualify; empty = it qualified."),
    ]
    reason: Annotated[
        str,
        Meta(description="The same in words, with the figure and the run's threshold."),
    ]
    profit_pct: Annotated[
        Decimal | None, Meta(description="Null if the result is not known.")
    ]
    realised_lamports: Lamports | None
    cost_lamports: Lamports
    entry_rank: Annotated[int | None, Meta(description="1 = first buyer of the token.")]
    entry_seconds: Annotated[
        int | None, Meta(description="Seconds from launch to the first buy.")
    ]
    first_buy_at: datetime | None
    flags: tuple[str, ...]
    knowledge: Annotated[str, one_of(Knowledge)]
    unknown_reason: Annotated[
        str, Meta(description="Why the result is not known; empty unless it is.")
    ]
    unknown_words: Annotated[str, Meta(description="The same in words.")]
    known_share: Decimal | None
    has_moved_out: bool
    later_cycles: int
    thresholds: Annotated[
        Thresholds | None,
        Meta(description="Of the run; null if the run was deleted."),
    ]
    passes_now: Annotated[
        bool | None,
        Meta(
            description="Whether these figures qualify with the saved parameters; null = not known."
        ),
    ]
    now: Annotated[str, Meta(description="The same in words.")]


class WhyToken(msgspec.Struct, frozen=True):
    """A run that analysed the address as a token."""

    run_id: uuid.UUID
    run_at: datetime
    symbol: str
    early_buyers: Annotated[int | None, Meta(description="Null = not analysed.")]
    qualified: int | None


class Why(msgspec.Struct, frozen=True):
    """Why an address is on the watchlist or not. Lists are newest first."""

    address: str
    kind: Annotated[
        WhyKind,
        Meta(
            description="`listed`, `control` (a rejected early buyer that is followed for comparison), `rejected`, "
            "`token` (the address of a token) or `never_seen`."
        ),
    ]
    summary: str
    wallet: Annotated[
        ListedWallet | None, Meta(description="Null unless listed or control.")
    ]
    thresholds_now: Annotated[
        Thresholds, Meta(description="Of the saved configuration.")
    ]
    positions: Annotated[list[WhyPosition], Meta(description="At most 100.")]
    has_more_positions: bool
    discoveries: Annotated[list[WhyDiscovery], Meta(description="At most 20.")]
    controls: Annotated[list[WhyControl], Meta(description="At most 20.")]
    tokens: Annotated[list[WhyToken], Meta(description="At most 20.")]

    @property
    def is_explained(self) -> bool:
        """True unless nothing is known of the address."""
        return self.kind != "never_seen"

    def to_json_object(self) -> dict[str, Any]:
        """Return the answer for JSON: lamports as strings, times in ISO 8601."""
        encoded = msgspec.json.Encoder(decimal_format="number").encode(self)
        values: dict[str, Any] = msgspec.json.decode(encoded)
        for row in [*values["positions"], *values["discoveries"]]:
            for name in ("realised_lamports", "cost_lamports"):
                if row.get(name) is not None:
                    row[name] = str(row[name])
        return values
