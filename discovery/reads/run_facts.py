"""What the last runs stored of their tokens and early buyers, and what followed."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec
from django.db.models import Exists, OuterRef, TextField
from django.db.models.functions import Cast

from discovery.analysis.what_if import TOKEN_MINIMA, SeenBuyer, SeenRun, SeenToken
from discovery.domain.flags import ENTRY_FLAGS
from discovery.domain.rejections import BuyerFigures
from discovery.domain.times import unix_from_datetime
from discovery.models import Outcome, Position, Run, RunToken, RunWallet
from discovery.reads.row_values import safe_text

OUTCOME_HOURS: Final = 7 * 24
_FIGURE_COLUMNS: Final = {
    "min_price_change_pct": "price_change_pct",
    "min_volume_usd": "volume_usd",
    "min_liquidity_usd": "liquidity_usd",
}
"""Parameter of a minimum → column of the figure that the search compared with it."""


class SeenRuns(msgspec.Struct, frozen=True):
    """The runs, newest first; their start and the symbols of tokens, by id and mint."""

    runs: list[SeenRun]
    started_at: dict[uuid.UUID, datetime]
    symbols: dict[str, str]


def load_runs(count: int) -> SeenRuns:
    """Return the last `count` runs that have ended and analysed a token. Four queries."""
    analysed = RunToken.objects.filter(run=OuterRef("pk"), early_buyers__isnull=False)
    rows = list(
        Run.objects.finished()
        .filter(Exists(analysed))
        .defer("errors", "usage", "prior")
        .order_by("-started_at", "-id")[:count]
    )
    run_ids = [row.pk for row in rows]
    tokens, symbols = _tokens(run_ids)
    buyers = _buyers(run_ids)
    return SeenRuns(
        runs=[_seen_run(row, tokens, buyers) for row in rows],
        started_at={row.pk: row.started_at for row in rows},
        symbols=symbols,
    )


def _seen_run(
    row: Run,
    tokens: Mapping[uuid.UUID, dict[str, SeenToken]],
    buyers: Mapping[uuid.UUID, list[SeenBuyer]],
) -> SeenRun:
    return SeenRun(
        run_id=row.pk,
        started_at=int(row.started_at.timestamp()),
        params=row.params,
        is_given=bool(row.given_mints),
        tokens=tokens.get(row.pk, {}),
        buyers=buyers.get(row.pk, []),
        funnel=row.funnel or {},
    )


def _tokens(
    run_ids: Sequence[uuid.UUID],
) -> tuple[dict[uuid.UUID, dict[str, SeenToken]], dict[str, str]]:
    """Return run → mint → token, and mint → symbol."""
    tokens: dict[uuid.UUID, dict[str, SeenToken]] = {}
    symbols: dict[str, str] = {}
    rows = RunToken.objects.filter(run__in=run_ids, early_buyers__isnull=False)
    for row in rows.values(
        "run_id", "mint", "symbol", "rank", "launched_at", *_FIGURE_COLUMNS.values()
    ):
        tokens.setdefault(row["run_id"], {})[row["mint"]] = SeenToken(
            rank=row["rank"],
            figures={
                minimum.param: row[_FIGURE_COLUMNS[minimum.param]]
                for minimum in TOKEN_MINIMA
            },
            launched_at=unix_from_datetime(row["launched_at"]),
        )
        symbols[row["mint"]] = safe_text(row["symbol"])
    return tokens, symbols


def _buyers(run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[SeenBuyer]]:
    """Return run → its early buyers. Those that qualified are known even if a later run
    has replaced their position. Two queries.
    """
    buyers: dict[uuid.UUID, list[SeenBuyer]] = {}
    flag_text = Cast("flags", TextField())
    positions = Position.objects.filter(run__in=run_ids).values_list(
        "run_id", "wallet_address", "mint", "entry_rank",
        "entry_seconds", "profit_pct", "cost_lamports", flag_text, "rejection", "unknown_reason",
    )  # fmt: skip
    for (
        run_id,
        wallet,
        mint,
        rank,
        seconds,
        profit_pct,
        cost,
        flags,
        rejection,
        unknown_reason,
    ) in positions:
        figures = BuyerFigures(
            seconds,
            profit_pct,
            cost,
            _flag_names(flags),
            rejection,
            unknown_reason,
            entry_rank=rank,
        )
        buyer = SeenBuyer(wallet, mint, rank, figures)
        buyers.setdefault(run_id, []).append(buyer)
    same = Position.objects.filter(
        run=OuterRef("run"),
        wallet_address=OuterRef("wallet_address"),
        mint=OuterRef("source_token"),
    )
    found = RunWallet.objects.filter(
        ~Exists(same), run__in=run_ids, cost_lamports__isnull=False
    )
    columns = (
        "run_id", "wallet_address", "source_token", "entry_rank",
        "entry_seconds", "profit_pct", "cost_lamports", "flags",
    )  # fmt: skip
    for (
        run_id,
        wallet,
        mint,
        rank,
        seconds,
        profit_pct,
        cost,
        flags,
    ) in found.values_list(*columns):
        known_then = tuple(flag for flag in flags or () if flag in ENTRY_FLAGS)
        figures = BuyerFigures(
            seconds, profit_pct, cost, known_then, rejection="", entry_rank=rank
        )
        buyer = SeenBuyer(wallet, mint, rank, figures)
        buyers.setdefault(run_id, []).append(buyer)
    return buyers


@lru_cache(maxsize=1024)
def _flag_names(text: str) -> tuple[str, ...]:
    """Return the flags of a position from the text of its JSON. Few combinations occur."""
    return tuple(json.loads(text) or ())


def growths(wallets: Sequence[str], seen: SeenRuns) -> dict[str, float]:
    """Return wallet → growth a trade of its follower, in stakes, in the seven days after
    the first judgement since the oldest run. One query.
    """
    since = min(seen.started_at.values(), default=None)
    if since is None:
        return {}
    known = Outcome.objects.measured().filter(
        horizon_hours=OUTCOME_HOURS,
        follower_growth__isnull=False,
        snapshot__wallet_address__in=wallets,
        snapshot__at__gte=since,
    )
    first = known.order_by("snapshot__wallet_address", "snapshot__at", "pk").distinct(
        "snapshot__wallet_address"
    )
    return {
        wallet: growth
        for wallet, growth in first.values_list(
            "snapshot__wallet_address", "follower_growth"
        )
        if growth is not None
    }
