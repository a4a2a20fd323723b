"""Rows for tests, one factory for each table. Every value can be given; the others
describe a usual row.

Wallets are named by small numbers: `wallet=1` is the wallet with `address(1)`.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory
from solders.pubkey import Pubkey

from discovery.models import (
    BalanceChange,
    Cycle,
    Outcome,
    OutcomeToken,
    Position,
    Run,
    RunToken,
    RunWallet,
    ScoreSnapshot,
    TokenResult,
    Trade,
    Wallet,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
SOL = "So11111111111111111111111111111111111111112"
LAMPORTS_PER_SOL = 10**9


def address(number: int) -> str:
    """Return the address of the wallet with this number."""
    return str(Pubkey.from_bytes((number + 1).to_bytes(32, "big")))


def score_detail() -> dict[str, Any]:
    """Return what a judgement rests on."""
    return {
        "leader_edge_pct": 18.2,
        "known_share": 0.98,
        "depends_on_one_token": False,
        "basis": "behind the leader",
        "low": 0.51,
        "high": 0.89,
    }


class OfWallet(DjangoModelFactory):
    """A row that belongs to a wallet."""

    class Meta:
        abstract = True

    class Params:
        wallet = 0

    wallet_address = factory.LazyAttribute(lambda row: address(row.wallet))


class RunFactory(DjangoModelFactory):
    """A completed run."""

    class Meta:
        model = Run

    started_at = NOW
    completed_at = NOW + timedelta(seconds=90)
    status = "completed"
    stage = "done"
    trigger_type = "manual"
    triggered_by = "ana"
    duration_seconds = Decimal("90.25")
    new_wallets = 2
    updated_wallets = 1
    tokens_analyzed = 4
    profiled_wallets = 2
    steps_total = 9
    steps_done = 9
    min_price_change_pct = Decimal("100")
    max_tokens = 20
    funnel = factory.LazyFunction(lambda: {"candidates": 9, "qualified": 3})
    usage = factory.LazyFunction(
        lambda: {"helius": {"calls": 12, "credits": 120, "rate_limited": 1}}
    )


class RunTokenFactory(DjangoModelFactory):
    """A token of a run."""

    class Meta:
        model = RunToken

    mint = MINT
    symbol = "PUMP"
    name = "Pump"
    rank = 1
    price_usd = Decimal("0.001234")
    volume_usd = Decimal("60000")
    early_buyers = 9
    qualified = 3
    sources = factory.LazyFunction(lambda: ["jupiter"])


class RunWalletFactory(OfWallet):
    """A wallet that a run found through a token."""

    class Meta:
        model = RunWallet

    source_token = MINT
    profit_pct = Decimal("180.55")
    realised_lamports = 5 * LAMPORTS_PER_SOL
    cost_lamports = 2 * LAMPORTS_PER_SOL
    entry_rank = 3
    entry_seconds = 40
    row_version = 1
    flags = factory.LazyFunction(lambda: ["sniper"])


class WalletFactory(DjangoModelFactory):
    """A wallet with a score."""

    class Meta:
        model = Wallet

    class Params:
        number = 0

    address = factory.LazyAttribute(lambda row: address(row.number))
    status = "active"
    verdict = "watch"
    verdict_reason = "+9.1 % a trade [-4.2, +25.3] from 11 tokens; 73% sure of a gain, 80% are needed"
    edge_pct = Decimal("9.1")
    edge_low_pct = Decimal("-4.2")
    edge_high_pct = Decimal("25.3")
    q_value = Decimal("0.12")
    p_value = Decimal("0.04")
    scored_tokens = 11
    score_version = 2
    score = Decimal("0.7312")
    n_eff = Decimal("9.5")
    resolved_cycles = 12
    win_rate = Decimal("0.75")
    realised_lamports = 12_345_678_901
    coverage = Decimal("0.99")
    flags = factory.LazyFunction(
        lambda: {"sniper": "bought X 2 slots after its launch"}
    )
    discovery_count = 2
    profiled_at = NOW
    first_discovered_at = NOW
    last_discovered_at = NOW
    last_trade_at = NOW
    score_detail = factory.LazyFunction(score_detail)


class TradeFactory(OfWallet):
    """A purchase for 1.5 SOL."""

    class Meta:
        model = Trade

    slot = 1
    signature = factory.LazyAttribute(
        lambda row: f"{row.wallet:x}z{row.slot}".ljust(88, "1")
    )
    mint = MINT
    side = "buy"
    block_time = NOW
    token_units = 2**64 - 1
    token_decimals = 6
    quote_mint = SOL
    quote_units = 1_500_000_000
    value_lamports = 1_500_000_000
    venues = factory.LazyFunction(lambda: ["pumpswap"])


class TokenResultFactory(OfWallet):
    """A token that gained 50 %, seen right behind the wallet."""

    class Meta:
        model = TokenResult

    mint = MINT
    as_of = NOW
    entry_at = NOW - timedelta(days=20)
    put_in_lamports = LAMPORTS_PER_SOL
    proceeds_lamports = 1_500_000_000
    bag_lamports = 0
    leader_return = 0.5
    follower_return_costs = 0.492
    follower_return_behind = 0.41


def snapshot_token(mint: str, **values: Any) -> dict[str, Any]:
    """Return a token result as a snapshot stores it: one that counts and gained 50 %."""
    return {
        "mint": mint,
        "entry_at": int((NOW - timedelta(days=20)).timestamp()),
        "put_in_lamports": LAMPORTS_PER_SOL,
        "leader_return": 0.5,
        "follower_return_costs": 0.492,
        "follower_return_behind": 0.41,
        "follower_return_late": None,
        "unknown_reason": "",
        "exclusion": "",
        **values,
    }


class ScoreSnapshotFactory(OfWallet):
    """A judgement against the prior of a first run. tokens_judged: its evidence."""

    class Meta:
        model = ScoreSnapshot

    class Params:
        tokens_judged = ()
        seeds = ()

    at = NOW
    cause = "first"
    arm = "found"
    score_version = 2
    score = Decimal("0.7312")
    verdict = "watch"
    edge_pct = Decimal("9.1")
    edge_low_pct = Decimal("-4.2")
    edge_high_pct = Decimal("25.3")
    tokens = 11
    effective_tokens = Decimal("9.5")
    basis = "behind the leader"
    evidence = factory.LazyAttribute(
        lambda row: {
            "as_of": int(row.at.timestamp()),
            "seeds": list(row.seeds),
            "tokens": list(row.tokens_judged),
        }
    )


class CycleFactory(OfWallet):
    """A win of 1 SOL."""

    class Meta:
        model = Cycle

    mint = MINT
    number = 1
    result = "win"
    close_reason = "closed"
    opened_at = NOW
    closed_at = NOW
    resolved_at = NOW
    last_trade_at = NOW
    put_in_lamports = LAMPORTS_PER_SOL
    matched_lamports = 2 * LAMPORTS_PER_SOL
    net_lamports = LAMPORTS_PER_SOL
    fees_lamports = 5000
    unmatched_lamports = 0
    sold_lamports = 2 * LAMPORTS_PER_SOL
    covered_lamports = 2 * LAMPORTS_PER_SOL
    basis_left_lamports = 0
    liquidation_value_lamports = None
    held_units = 0
    buys = 1
    sells = 1
    hold_seconds = 60
    history_incomplete = False
    reconciled = True
    first_signature = "1" * 88


class PositionFactory(OfWallet):
    """The position of an early buyer that doubled its money."""

    class Meta:
        model = Position

    mint = MINT
    realised_lamports = LAMPORTS_PER_SOL
    cost_lamports = LAMPORTS_PER_SOL
    profit_pct = 100


class BalanceChangeFactory(OfWallet):
    """Units that were sent to another wallet."""

    class Meta:
        model = BalanceChange

    slot = 1
    signature = factory.LazyAttribute(
        lambda row: f"{row.wallet:x}m{row.slot}".ljust(88, "1")
    )
    mint = MINT
    block_time = NOW
    units = -1_000_000
    reason = "transfer"


class FollowSnapshotFactory(ScoreSnapshotFactory):
    """A wallet that was to be followed."""

    at = NOW - timedelta(days=20)
    score = Decimal("0.9")
    verdict = "follow"


class OutcomeFactory(DjangoModelFactory):
    """What followed a snapshot within a week, measured when it was due."""

    class Meta:
        model = Outcome

    snapshot = factory.SubFactory(FollowSnapshotFactory)
    horizon_hours = 7 * 24
    due_at = factory.LazyAttribute(
        lambda row: row.snapshot.at + timedelta(hours=row.horizon_hours)
    )
    measured_at = factory.SelfAttribute("due_at")


class OutcomeTokenFactory(DjangoModelFactory):
    """A token that brought the wallet 50 % and a follower 41 %, seen right behind it."""

    class Meta:
        model = OutcomeToken

    outcome = factory.SubFactory(OutcomeFactory)
    mint = MINT
    entry_at = factory.LazyAttribute(
        lambda row: row.outcome.snapshot.at + timedelta(hours=1)
    )
    put_in_lamports = LAMPORTS_PER_SOL
    proceeds_lamports = 1_500_000_000
    bag_lamports = 0
    leader_return = 0.5
    follower_return_costs = 0.492
    follower_return_behind = 0.41
