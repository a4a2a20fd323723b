"""Retention of the forward record: snapshots with their outcomes, and control wallets."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from discovery.analysis.judging import SCORE_VERSION
from discovery.domain.judgements import Judgement, Verdict
from discovery.jobs import retention
from discovery.models import (
    Outcome,
    OutcomeToken,
    RunControl,
    ScoreSnapshot,
    TokenResult,
    Trade,
    Wallet,
)
from discovery.models.enums import WalletOrigin
from discovery.pipeline.judged_wallets import JudgedWallet
from discovery.pipeline.snapshots import HORIZON_HOURS, record_snapshots
from tests.factories import (
    MINT,
    SOL,
    CycleFactory,
    PositionFactory,
    RunFactory,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def snapshot(number: int, at: datetime, measured_at: datetime | None) -> ScoreSnapshot:
    """Return the snapshot of a wallet with its outcomes, one token each."""
    row = ScoreSnapshot.objects.create(
        wallet_address=address(number),
        at=at,
        cause="first",
        arm="control",
        score_version=2,
        verdict="neutral",
        tokens=5,
        effective_tokens=4,
    )
    for hours in HORIZON_HOURS:
        outcome = Outcome.objects.create(
            snapshot=row,
            horizon_hours=hours,
            due_at=at + timedelta(hours=hours),
            measured_at=measured_at,
        )
        OutcomeToken.objects.create(
            outcome=outcome,
            mint=MINT,
            entry_at=at,
            put_in_lamports=1,
            proceeds_lamports=1,
            bag_lamports=0,
        )
    return row


def control(number: int, chosen_at: datetime, **values: Any) -> Wallet:
    """Return a control wallet with its row of the run that chose it."""
    wallet = WalletFactory(
        number=number, origin="control", first_discovered_at=chosen_at, **values
    )
    RunControl.objects.create(
        run=RunFactory(started_at=chosen_at),
        wallet_address=wallet.address,
        mint=MINT,
        matched_wallet=address(99),
        entry_rank=1,
        cost_lamports=1,
    )
    return wallet


def measured_control(number: int, now: datetime, **values: Any) -> Wallet:
    """Return a control wallet whose outcomes are all measured."""
    wallet = control(number, now - 31 * DAY, **values)
    snapshot(number, now - 31 * DAY, measured_at=now)
    return wallet


def is_stored(wallet: Wallet) -> bool:
    return Wallet.objects.filter(pk=wallet.pk).exists()


# --- Snapshots ---


def test_old_snapshots_go_with_their_outcomes_except_the_newest_of_a_wallet(
    settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(snapshots=400 * DAY)
    WalletFactory(number=0)
    snapshot(0, now - 500 * DAY, now)
    newest = snapshot(0, now - 401 * DAY, now)
    deleted = retention.apply_retention(now)
    tables = (
        "discovery_score_snapshots",
        "discovery_outcomes",
        "discovery_outcome_tokens",
    )
    assert [deleted[table] for table in tables] == [1, 4, 4]
    assert ScoreSnapshot.objects.get() == newest
    assert (Outcome.objects.count(), OutcomeToken.objects.count()) == (4, 4)


def test_of_two_snapshots_of_one_time_the_later_row_is_the_newest(
    now: datetime,
) -> None:
    WalletFactory(number=0)
    snapshot(0, now - 500 * DAY, now)
    newest = snapshot(0, now - 500 * DAY, now)
    retention.apply_retention(now)
    assert ScoreSnapshot.objects.get() == newest


def test_the_last_snapshot_of_a_wallet_that_is_not_stored_goes_too(
    settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(snapshots=400 * DAY)
    snapshot(1, now - 401 * DAY, now)
    young = snapshot(2, now - 399 * DAY, now)
    retention.apply_retention(now)
    assert ScoreSnapshot.objects.get() == young


@pytest.mark.django_db(transaction=True)
def test_after_retention_nobody_else_can_delete_a_snapshot(now: datetime) -> None:
    WalletFactory(number=0)
    for days in (500, 450):
        snapshot(0, now - days * DAY, now)
    assert retention.apply_retention(now)["discovery_score_snapshots"] == 1
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        ScoreSnapshot.objects.all().delete()


# --- Control wallets ---


def test_a_control_wallet_goes_when_its_outcomes_are_measured_its_record_stays(
    now: datetime,
) -> None:
    wallet = measured_control(1, now)
    TokenResultFactory(wallet=1)
    CycleFactory(wallet=1)
    deleted = retention.apply_retention(now)
    tables = ("discovery_wallets", "discovery_token_results", "discovery_cycles")
    assert [deleted[table] for table in tables] == [1, 1, 1]
    assert not is_stored(wallet)
    assert not TokenResult.objects.exists()
    counts = (ScoreSnapshot.objects.count(), Outcome.objects.count())
    assert (*counts, RunControl.objects.count()) == (1, 4, 1)


def test_a_control_wallet_stays_while_an_outcome_is_to_be_measured(
    now: datetime,
) -> None:
    wallet = measured_control(1, now)
    TokenResultFactory(wallet=1)
    Outcome.objects.filter(horizon_hours=720).update(measured_at=None)
    assert retention.apply_retention(now)["discovery_wallets"] == 0
    assert is_stored(wallet)
    assert TokenResult.objects.count() == 1


@pytest.mark.parametrize(("days", "is_kept"), [(46, False), (44, True)])
def test_a_control_wallet_that_is_not_measured_goes_after_its_last_snapshot(
    days: int, is_kept: bool, now: datetime
) -> None:
    wallet = control(1, now - 90 * DAY)
    snapshot(1, now - days * DAY, measured_at=None)
    retention.apply_retention(now)
    assert is_stored(wallet) is is_kept


@pytest.mark.parametrize(("days", "is_kept"), [(46, False), (44, True)])
def test_a_control_wallet_without_a_snapshot_goes_after_it_was_chosen(
    days: int, is_kept: bool, now: datetime
) -> None:
    wallet = control(1, now - days * DAY)
    retention.apply_retention(now)
    assert is_stored(wallet) is is_kept


def test_outcomes_of_a_deleted_wallet_say_that_they_were_not_measured(
    now: datetime,
) -> None:
    control(1, now - 46 * DAY)
    snapshot(1, now - 46 * DAY, measured_at=None)
    retention.apply_retention(now)
    rows = set(Outcome.objects.values_list("problem", "measured_at", "tokens"))
    assert rows == {(retention.NOT_MEASURED, now, None)}


def test_outcomes_of_stored_wallets_wait(now: datetime) -> None:
    WalletFactory(number=1)
    snapshot(1, now - 46 * DAY, measured_at=None)
    retention.apply_retention(now)
    assert Outcome.objects.measured().count() == 0


@pytest.mark.parametrize(
    "values",
    [
        {"note": "seen before"},
        {"label": "Bob"},
        {"tags": ["whale"]},
        {"is_pinned": True},
        {"status": "blacklisted"},
    ],
)
def test_a_control_wallet_that_somebody_has_marked_stays(
    values: dict[str, Any], now: datetime
) -> None:
    wallet = measured_control(1, now, **values)
    retention.apply_retention(now)
    assert is_stored(wallet)


def test_a_control_wallet_of_an_active_run_stays(now: datetime) -> None:
    wallet = measured_control(1, now)
    run = RunFactory(status="running", stage="profile", completed_at=None)
    RunControl.objects.update(run=run)
    retention.apply_retention(now)
    assert is_stored(wallet)


def test_wallets_on_the_watchlist_stay_when_they_are_measured(now: datetime) -> None:
    wallet = WalletFactory(number=1)
    snapshot(1, now - 400 * DAY, measured_at=now)
    retention.apply_retention(now)
    assert is_stored(wallet)


def test_the_deletion_of_a_control_wallet_is_no_change_by_somebody(
    now: datetime,
) -> None:
    measured_control(1, now)
    history = Wallet.history.model.objects
    rows_before = history.count()
    retention.apply_retention(now)
    assert history.count() == rows_before


def test_trades_of_a_control_wallet_go_with_it_except_in_tokens_it_bought_early(
    now: datetime,
) -> None:
    measured_control(1, now)
    PositionFactory(wallet=1, mint=MINT)
    TradeFactory(wallet=1, slot=1, mint=MINT, block_time=now - DAY)
    TradeFactory(wallet=1, slot=2, mint=SOL, block_time=now - DAY)
    TradeFactory(wallet=2, slot=3, mint=SOL, block_time=now - DAY)
    assert retention.apply_retention(now)["discovery_trades"] == 1
    rows = set(Trade.objects.values_list("wallet_address", "mint"))
    assert rows == {(address(1), MINT), (address(2), SOL)}


def test_trades_of_a_control_wallet_stay_as_long_as_it_is_stored(
    now: datetime,
) -> None:
    control(1, now - DAY)
    TradeFactory(wallet=1, block_time=now - 4000 * DAY)
    assert retention.apply_retention(now)["discovery_trades"] == 0


# --- How long a control wallet is followed ---


def record(wallet: Wallet, score: str, now: datetime) -> int:
    """Record a judgement with this score; return the number of snapshots written."""
    judgement = Judgement(
        wallet=wallet.address,
        score=float(score),
        verdict=Verdict.NEUTRAL,
        edge_pct=None,
        edge_low_pct=None,
        edge_high_pct=None,
        leader_edge_pct=None,
        tokens=5,
        effective_tokens=4.0,
        known_share=1.0,
        q_value=None,
        p_value=None,
        depends_on_one_token=False,
        basis=None,
        reason="",
    )
    columns = {
        "score_version": SCORE_VERSION,
        "score": Decimal(score),
        "verdict": "neutral",
        "verdict_reason": "",
        "edge_pct": None,
        "edge_low_pct": None,
        "edge_high_pct": None,
        "q_value": None,
        "p_value": None,
        "scored_tokens": 5,
        "n_eff": Decimal(4),
    }
    judged = JudgedWallet(
        judgement,
        columns,
        profiled_at=now,
        origin=WalletOrigin(wallet.origin),
        known_since=wallet.first_discovered_at,
        flags=(),
        seeds=(),
        results=(),
    )
    return record_snapshots({wallet.address: judged}, None, now)


@pytest.mark.parametrize(("days", "snapshots"), [(14, 1), (16, 0)])
def test_a_control_wallet_gets_no_further_snapshot_some_time_after_it_was_chosen(
    days: int, snapshots: int, now: datetime
) -> None:
    chosen_at = now - days * DAY
    wallet = control(1, chosen_at)
    assert record(wallet, "0.5", chosen_at) == 1
    assert record(wallet, "0.7", now) == snapshots


def test_a_control_wallet_that_is_judged_late_gets_its_first_snapshot(
    now: datetime,
) -> None:
    assert record(control(1, now - 16 * DAY), "0.5", now) == 1


def test_a_wallet_on_the_watchlist_gets_snapshots_for_ever(now: datetime) -> None:
    wallet = WalletFactory(number=1, first_discovered_at=now - 400 * DAY)
    record(wallet, "0.5", now - 300 * DAY)
    assert record(wallet, "0.7", now) == 1
