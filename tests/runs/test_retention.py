"""What outlives its use is deleted, table by table; what is younger stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessAttemptExpiration, AccessLog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from discovery.domain.findings import Candidate, EarlyBuyer
from discovery.domain.findings import Position as PositionFigures
from discovery.jobs import retention
from discovery.models import (
    BalanceChange,
    Config,
    Cycle,
    Position,
    Run,
    RunStep,
    TokenResult,
    Trade,
    Wallet,
    WalletHistory,
)
from discovery.models import retention_rules as rules
from discovery.pipeline import save_token
from discovery.pipeline.analyse_token import TokenAnalysis
from tests.factories import (
    BalanceChangeFactory,
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)
from walltrack.settings import BASE_DIR

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def step(run: Run | None, ended_at: datetime | None, **values: Any) -> RunStep:
    """Return a step that is done, or open without an end."""
    status = "pending" if ended_at is None else "done"
    kind = "profile" if run is None else "token"
    key = address(RunStep.objects.count())
    values = {"kind": kind, "key": key, "status": status, **values}
    return RunStep.objects.create(run=run, completed_at=ended_at, **values)


def ended_run(ended_at: datetime, **values: Any) -> Run:
    return RunFactory(started_at=ended_at, completed_at=ended_at, **values)


# --- Facts of the chain ---


@pytest.mark.parametrize(
    ("make", "model"), [(TradeFactory, Trade), (BalanceChangeFactory, BalanceChange)]
)
def test_old_facts_of_the_chain_go_unless_their_wallet_is_watched(
    make: Callable[..., Any], model: type[Model], settings: Any, now: datetime
) -> None:
    settings.RETENTION_TRADES_DAYS = 180
    WalletFactory(number=0)
    for number, days in ((0, 400), (1, 181), (2, 179)):
        make(wallet=number, block_time=now - days * DAY)
    deleted = retention.apply_retention(now)
    assert deleted[model._meta.db_table] == 1
    rows = model._default_manager.values_list("wallet_address", flat=True)
    assert set(rows) == {address(0), address(2)}


def test_early_buyers_off_the_watchlist_go_long_after_the_last_analysis(
    settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(changes=100 * DAY)
    WalletFactory(number=0)
    WalletFactory(number=3, origin="control", note="somebody wrote this")
    for number, days in ((0, 400), (1, 101), (2, 99), (3, 101)):
        PositionFactory(wallet=number, updated_at=now - days * DAY)
    assert retention.apply_retention(now)["discovery_positions"] == 2
    rows = Position.objects.values_list("wallet_address", flat=True)
    assert set(rows) == {address(0), address(2)}


@pytest.mark.parametrize(
    ("make", "model"), [(TokenResultFactory, TokenResult), (CycleFactory, Cycle)]
)
def test_results_go_with_their_wallet(
    make: Callable[..., Any], model: type[Model], now: datetime
) -> None:
    WalletFactory(number=0)
    for number in (0, 1):
        make(wallet=number)
    assert retention.apply_retention(now)[model._meta.db_table] == 1
    rows = model._default_manager.values_list("wallet_address", flat=True)
    assert list(rows) == [address(0)]


def test_the_history_that_was_read_goes_with_its_wallet(now: datetime) -> None:
    WalletFactory(number=0)
    for number in (0, 1):
        WalletHistory.objects.create(
            wallet_address=address(number),
            version=1,
            begins_at=now,
            is_cut=False,
            transactions=0,
            body=b"",
        )
    assert retention.apply_retention(now)["discovery_wallet_histories"] == 1
    assert WalletHistory.objects.get().wallet_address == address(0)


def test_a_position_that_is_analysed_again_is_kept_from_then_on(
    now: datetime,
) -> None:
    run = ended_run(now)
    old = PositionFactory(wallet=1, updated_at=now - 4000 * DAY)
    figures = PositionFigures(
        cost_basis_lamports=Fraction(100),
        matched_proceeds_lamports=Fraction(0),
        realised_lamports=Fraction(0),
        unmatched_proceeds_lamports=Fraction(0),
        profit_pct=Fraction(-100),
        held_units=Fraction(1),
        buys=1,
        sells=0,
        last_trade_time=1_700_000_000,
        knowledge="known",
        unknown_reason="",
        known_share=Fraction(1),
        has_moved_out=False,
        later_cycles=0,
        history_incomplete=False,
    )
    buyer = EarlyBuyer(
        wallet=old.wallet_address,
        mint=old.mint,
        entry_rank=1,
        entry_seconds=5,
        first_buy_time=1_700_000_000,
        position=figures,
        flags={},
        qualified=False,
        rejection="profit",
    )
    save_token.save_token(
        run.pk,
        TokenAnalysis(Candidate(old.mint), None, "", [buyer], [], [], 2, {}),
    )
    assert retention.apply_retention(now)["discovery_positions"] == 0


# --- Runs ---


def test_runs_with_their_tokens_and_wallets_stay_however_old(now: datetime) -> None:
    run = ended_run(now - 4000 * DAY)
    RunTokenFactory(run=run)
    RunWalletFactory(run=run)
    WalletFactory(number=0)
    retention.apply_retention(now)
    run.refresh_from_db()
    counts = (run.tokens.count(), run.wallets.count(), Wallet.objects.count())
    assert counts == (1, 1, 1)


def test_steps_of_runs_that_ended_long_ago_go(settings: Any, now: datetime) -> None:
    settings.RECORDS = settings.RECORDS._replace(steps=30 * DAY)
    step(ended_run(now - 31 * DAY), now - 31 * DAY)
    young = step(ended_run(now - 29 * DAY), now - 29 * DAY)
    assert retention.apply_retention(now)["discovery_run_steps"] == 1
    assert RunStep.objects.get() == young


def test_steps_of_an_active_run_stay_however_old(now: datetime) -> None:
    run = RunFactory(
        started_at=now - 90 * DAY,
        completed_at=None,
        status="running",
        stage="analyse",
    )
    step(run, now - 90 * DAY)
    assert retention.apply_retention(now)["discovery_run_steps"] == 0


def test_work_of_no_run_goes_some_time_after_its_end(
    settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(steps=30 * DAY)
    step(None, now - 32 * DAY)
    young = step(None, now - 29 * DAY)
    is_open = step(None, None, created_at=now - 90 * DAY)
    assert retention.apply_retention(now)["discovery_run_steps"] == 1
    assert set(RunStep.objects.all()) == {young, is_open}


# --- Changes, logins ---


def test_old_changes_go_except_the_last_of_each_wallet(
    settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(changes=100 * DAY)
    history = Wallet.history.model.objects
    for number, ages in ((0, (300, 200)), (1, (300, 99))):
        wallet = WalletFactory(number=number)
        history.filter(address=wallet.address).delete()
        for days in ages:
            wallet.note = f"{days} days ago"
            wallet.save()
            row = history.filter(address=wallet.address).latest("history_id")
            history.filter(pk=row.pk).update(history_date=now - days * DAY)
    assert retention.apply_retention(now)["discovery_wallets_history"] == 2
    left = set(history.values_list("address", "note"))
    assert left == {(address(0), "200 days ago"), (address(1), "99 days ago")}


def test_old_changes_of_the_configuration_go_except_the_last(
    config: Config, settings: Any, now: datetime
) -> None:
    history = Config.history.model.objects  # type: ignore[attr-defined]
    for tokens in (5, 6):
        config.max_tokens = tokens
        config.save()
    history.update(history_date=now - 4000 * DAY)
    retention.apply_retention(now)
    assert [row.max_tokens for row in history.all()] == [6]


def test_wrong_passwords_and_logins_go_after_their_days(
    settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(logins=90 * DAY)
    for days in (91, 89):
        attempt = AccessAttempt.objects.create(
            username=f"{days}", failures_since_start=1
        )
        AccessAttemptExpiration.objects.create(access_attempt=attempt, expires_at=now)
        AccessLog.objects.create(username=f"{days}")
        for model in (AccessAttempt, AccessLog):
            of_this = model.objects.filter(username=f"{days}")
            of_this.update(attempt_time=now - days * DAY)
    deleted = retention.apply_retention(now)
    tables = (
        "axes_accessattempt",
        "axes_accessattemptexpiration",
        "axes_accesslog",
        "axes_accessfailurelog",
    )
    assert [deleted[table] for table in tables] == [1, 1, 1, 0]
    assert AccessAttempt.objects.get().username == "89"
    assert AccessLog.objects.get().username == "89"


def test_the_log_of_the_admin_goes_after_its_days(
    person: Callable[..., Any], settings: Any, now: datetime
) -> None:
    settings.RECORDS = settings.RECORDS._replace(logins=90 * DAY)
    user = person()
    of_users = ContentType.objects.get_for_model(user)
    for days in (91, 89):
        LogEntry.objects.create(
            user=user,
            content_type=of_users,
            object_repr=f"{days}",
            action_flag=CHANGE,
            action_time=now - days * DAY,
        )
    assert retention.apply_retention(now)["django_admin_log"] == 1
    assert LogEntry.objects.get().object_repr == "89"


def test_sessions_go_when_they_have_expired(now: datetime) -> None:
    for key, hours in (("over", -1), ("open", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=now + timedelta(hours=hours)
        )
    assert retention.apply_retention(now)["django_session"] == 1
    assert Session.objects.get().session_key == "open"


# --- The whole ---


def test_many_rows_go_in_several_batches(
    monkeypatch: pytest.MonkeyPatch, now: datetime, django_assert_num_queries: Any
) -> None:
    for slot in range(7):
        TradeFactory(wallet=1, slot=slot, block_time=now - 4000 * DAY)
    rule = next(
        rule for rule in rules.retention_rules() if rule.table == "discovery_trades"
    )
    small = rule._replace(batch=3, expired=rule.expired[:1])
    monkeypatch.setattr(retention, "retention_rules", lambda: [small])
    # Per batch: its keys, its savepoint with the deletion; then no keys, and outcomes.
    with django_assert_num_queries(3 * 4 + 2):
        assert retention.apply_retention(now) == {"discovery_trades": 7}
    assert not Trade.objects.exists()


def test_a_second_call_deletes_nothing(now: datetime) -> None:
    TradeFactory(wallet=1, block_time=now - 4000 * DAY)
    step(ended_run(now - 4000 * DAY), now - 4000 * DAY)
    assert sum(retention.apply_retention(now).values()) == 2
    assert set(retention.apply_retention(now).values()) == {0}


def test_the_log_names_every_table_with_its_count(
    caplog: pytest.LogCaptureFixture, now: datetime
) -> None:
    TradeFactory(wallet=1, block_time=now - 4000 * DAY)
    with caplog.at_level("INFO", logger="discovery.jobs.retention"):
        counts = retention.apply_retention(now)
    (record,) = caplog.records
    assert counts["discovery_trades"] == 1
    assert {name: getattr(record, name) for name in counts} == counts


def test_without_a_time_ages_are_those_of_the_present(now: datetime) -> None:
    TradeFactory(wallet=1, slot=1, block_time=now - 4000 * DAY)
    TradeFactory(wallet=1, slot=2, block_time=now)
    assert retention.apply_retention()["discovery_trades"] == 1


def test_every_table_has_a_rule_and_every_rule_a_table() -> None:
    named = [rule.table for rule in rules.retention_rules()]
    assert sorted(named) == sorted(connection.introspection.table_names())


def test_a_setting_of_a_rule_is_in_the_example_of_the_environment() -> None:
    example = (BASE_DIR / ".env.example").read_text(encoding="utf-8")
    named = {rule.setting for rule in rules.retention_rules()} - {""}
    assert {name for name in named if f"\n{name}=" not in example} == set()


def test_operations_md_states_the_retention_of_every_table() -> None:
    text = (BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
    tables = {rule.table for rule in rules.retention_rules()}
    assert {table for table in tables if f"`{table}`" not in text} == set()
