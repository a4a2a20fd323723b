"""The control group of a run: who is chosen, and what becomes of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from discovery.domain.run_params import Params
from discovery.models import (
    Outcome,
    Position,
    Run,
    RunControl,
    RunWallet,
    ScoreSnapshot,
    Wallet,
)
from discovery.models.enums import SnapshotArm, StepKind, WalletOrigin
from discovery.models.param_columns import param_values
from discovery.pipeline.control_group import choose_controls
from tests.factories import RunFactory, WalletFactory, address

MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
SOL = 10**9
WORLD = ("--world", "small", "--seed", "2")


@pytest.fixture
def run(db: None) -> Run:
    return RunFactory(**param_values(Params()))


def entry(
    run: Run,
    number: int,
    rank: int,
    cost: int,
    *,
    rejection: str = "profit",
    **values: Any,
) -> str:
    wallet = address(number)
    Position.objects.create(
        run=run,
        wallet_address=wallet,
        mint=MINT,
        entry_rank=rank,
        cost_lamports=cost,
        rejection=rejection,
        **values,
    )
    return wallet


def find(run: Run, number: int, rank: int, cost: int) -> str:
    wallet = entry(run, number, rank, cost, rejection="")
    WalletFactory(address=wallet)
    RunWallet.objects.create(
        run=run,
        wallet_address=wallet,
        source_token=MINT,
        entry_rank=rank,
        cost_lamports=cost,
        row_version=1,
    )
    return wallet


def chosen(run: Run) -> dict[str, str]:
    """Return matched wallet → its control."""
    with transaction.atomic():
        choose_controls(run)
    rows = RunControl.objects.filter(run=run)
    return dict(rows.values_list("matched_wallet", "wallet_address"))


def test_the_control_is_the_rejected_buyer_of_similar_cost_with_the_nearest_rank(
    run: Run,
) -> None:
    found = find(run, 1, rank=10, cost=2 * SOL)
    entry(run, 2, rank=9, cost=5 * SOL)  # more than twice as much
    nearest = entry(run, 3, rank=13, cost=SOL)
    entry(run, 4, rank=15, cost=2 * SOL)
    assert chosen(run) == {found: nearest}


@pytest.mark.parametrize(
    "values",
    [
        {"rejection": "min_cost"},
        {"rejection": "result_unknown"},
        {"rejection": "flag_sniper"},
        {"flags": ["bundle"]},
    ],
)
def test_only_buyers_rejected_for_profit_without_a_hard_flag_are_controls(
    run: Run, values: dict[str, Any]
) -> None:
    find(run, 1, rank=10, cost=SOL)
    entry(run, 2, rank=11, cost=SOL, **values)
    assert chosen(run) == {}


def test_a_wallet_of_the_watchlist_is_no_control(run: Run) -> None:
    find(run, 1, rank=10, cost=SOL)
    WalletFactory(address=entry(run, 2, rank=11, cost=SOL))
    assert chosen(run) == {}


def test_a_control_wallet_of_an_earlier_run_may_be_chosen_again(run: Run) -> None:
    found = find(run, 1, rank=10, cost=SOL)
    control = entry(run, 2, rank=11, cost=SOL)
    WalletFactory(address=control, origin=WalletOrigin.CONTROL)
    assert chosen(run) == {found: control}


def test_each_control_is_used_once_and_no_more_are_chosen_than_wanted(run: Run) -> None:
    for number in range(1, 8):
        find(run, number, rank=number, cost=SOL)
        entry(run, number + 20, rank=number, cost=SOL)
    run.control_wallets = 4
    run.save()
    controls = chosen(run)
    assert len(set(controls.values())) == 4


def test_choosing_again_changes_nothing(run: Run) -> None:
    find(run, 1, rank=10, cost=SOL)
    entry(run, 2, rank=11, cost=SOL)
    first = chosen(run)
    entry(run, 3, rank=10, cost=SOL)
    assert chosen(run) == first


def test_the_matched_token_is_the_seed_of_a_control(run: Run) -> None:
    find(run, 1, rank=10, cost=SOL)
    control = entry(run, 2, rank=11, cost=SOL)
    chosen(run)
    assert RunWallet.objects.seeds([control]) == {control: {MINT}}


def test_a_run_profiles_judges_and_records_its_controls_without_listing_them(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover(profiles=True)
    run = Run.objects.get()
    controls = set(run.controls.values_list("wallet_address", flat=True))
    assert controls
    wallets = Wallet.objects.filter(address__in=controls)
    assert {wallet.origin for wallet in wallets} == {WalletOrigin.CONTROL}
    assert all(wallet.profiled_at for wallet in wallets)
    snapshots = ScoreSnapshot.objects.filter(wallet_address__in=controls)
    assert {row.arm for row in snapshots} == {SnapshotArm.CONTROL}
    assert snapshots.count() == len(controls)
    outcomes = Outcome.objects.filter(snapshot__in=snapshots)
    assert outcomes.count() == 4 * len(controls)
    assert run.profiled_wallets == Wallet.objects.listed().count()
    steps = run.steps.filter(kind=StepKind.WALLET).count()
    assert steps == run.profiled_wallets + len(controls)


def test_a_run_without_controls_profiles_its_finds_only(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover("--control-wallets", "0", profiles=True)
    assert not RunControl.objects.exists()
    assert not Wallet.objects.filter(origin=WalletOrigin.CONTROL).exists()


def test_a_control_that_qualifies_later_is_a_find(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover(profiles=True)
    run = Run.objects.get()
    found = Wallet.objects.filter(address__in=run.wallets.values("wallet_address"))
    found.update(origin=WalletOrigin.CONTROL, first_run=None)
    discover(profiles=True)
    newest = Run.objects.order_by("-started_at").first()
    assert newest is not None
    assert set(found.values_list("origin", "first_run")) == {
        (WalletOrigin.DISCOVERY, newest.pk)
    }
    assert newest.new_wallets == found.count()
