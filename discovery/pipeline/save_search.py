"""Save the tokens that a search found, as the run saw them before it analysed them."""

import uuid
from decimal import Decimal, localcontext
from typing import Final, cast

from discovery.domain.findings import Candidate, LaunchClock
from discovery.domain.times import datetime_from_unix, unix_from_datetime
from discovery.models import Run, RunToken
from discovery.pipeline.find_tokens import TokenSearchResult

# What numeric(20,2) and numeric(24,2) hold, with room to spare: a market may report any
# number.
_MAX_USD: Final = Decimal(10) ** 17
_MAX_TRANSACTIONS: Final = 2**62
_DECIMAL_DIGITS: Final = 60
"""The default precision of 28 digits does not hold 17 digits before the point and 18
behind it.
"""


def save_search(
    run_id: uuid.UUID, result: TokenSearchResult, *, source: str, source_note: str
) -> None:
    """Save the tokens, where the other candidates were filtered out, and who answers
    transactions.

    Called inside a transaction.
    """
    rows = [
        _token_row(run_id, rank, token)
        for rank, token in enumerate(result.tokens, start=1)
    ]
    RunToken.objects.bulk_create(rows, ignore_conflicts=True)
    Run.objects.filter(pk=run_id).update(
        funnel=result.funnel, source=source, source_note=source_note
    )


def _token_row(run_id: uuid.UUID, rank: int, token: Candidate) -> RunToken:
    transactions = token.transactions_24h
    if transactions is not None:
        transactions = min(transactions, _MAX_TRANSACTIONS)
    return RunToken(
        run_id=run_id,
        mint=token.mint,
        symbol=token.symbol,
        name=token.name,
        rank=rank,
        sources=list(token.sources),
        pools=list(token.pools),
        price_usd=_storable(token.price_usd, places=18),
        price_change_pct=_storable(token.price_change_24h_pct, places=2),
        volume_usd=_storable(token.volume_24h_usd, places=2),
        liquidity_usd=_storable(token.liquidity_usd, places=2),
        market_cap_usd=_storable(token.market_cap_usd, places=2),
        transactions_24h=transactions,
        launched_at=datetime_from_unix(token.launched_at),
        launch_clock=token.launch_clock,
    )


def load_candidate(run_id: uuid.UUID, mint: str) -> Candidate:
    """Return a token as the search of the run saved it. Raises RunToken.DoesNotExist."""
    row = RunToken.objects.get(run_id=run_id, mint=mint)
    return Candidate(
        mint=row.mint,
        symbol=row.symbol,
        name=row.name,
        sources=tuple(row.sources),
        # Earlier versions stored the mint among the pools.
        pools=tuple(pool for pool in row.pools if pool != mint),
        price_usd=row.price_usd,
        price_change_24h_pct=row.price_change_pct,
        volume_24h_usd=row.volume_usd,
        liquidity_usd=row.liquidity_usd,
        market_cap_usd=row.market_cap_usd,
        transactions_24h=row.transactions_24h,
        launched_at=unix_from_datetime(row.launched_at),
        launch_clock=cast("LaunchClock", row.launch_clock),
    )


def _storable(value: Decimal | None, *, places: int) -> Decimal | None:
    """Return the value as its column holds it, or None if it is no number or too large."""
    if value is None or not value.is_finite() or abs(value) >= _MAX_USD:
        return None
    with localcontext() as context:
        context.prec = _DECIMAL_DIGITS
        return value.quantize(Decimal(1).scaleb(-places))
