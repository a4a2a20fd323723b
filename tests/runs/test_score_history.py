"""Nothing after time t enters a judgement of time t."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from discovery.domain.judgements import Prior
from discovery.models import (
    BalanceChange,
    Cycle,
    Outcome,
    Position,
    Run,
    RunWallet,
    ScoreSnapshot,
    TokenResult,
    Trade,
    Wallet,
)
from discovery.pipeline.rejudge import rebuild_token_results
from discovery.pipeline.scoring import judge_wallets, rescore
from discovery.pipeline.verify_snapshots import verify_snapshots
from tests.factories import (
    NOW,
    BalanceChangeFactory,
    PositionFactory,
    RunFactory,
    RunWalletFactory,
    ScoreSnapshotFactory,
    TradeFactory,
    address,
    snapshot_token,
)
from walltrack import clock

WORLD = ("--world", "small", "--seed", "2")
LATER = timedelta(days=10)
LATER_MINT = address(900)
FIGURES = ("score", "verdict", "edge_pct", "edge_low_pct", "edge_high_pct")


@pytest.fixture
def judged_at(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> Iterator[datetime]:
    """Return t, the end of a run. Ten days after it more has happened: trades, balance
    changes, a run with another prior, and a judgement.
    """
    use_market(*WORLD)
    discover(profiles=True)
    t = clock.now()
    monkeypatch.setattr(clock, "now", lambda: t + LATER)
    add_the_future(t)
    return t


def add_the_future(t: datetime) -> None:
    later = RunFactory(
        started_at=t + LATER - timedelta(hours=1),
        prior=other_prior(Run.objects.get().prior),
    )
    for wallet in Wallet.objects.all():
        _add_trades(wallet.address, t)
        held = {"wallet_address": wallet.address}
        RunWalletFactory(run=later, source_token=LATER_MINT, **held)
        PositionFactory(run=later, mint=LATER_MINT, **held)
    Wallet.objects.update(profiled_at=t + LATER)
    for wallet in Wallet.objects.all():
        rebuild_token_results(wallet)
    rescore()


def _add_trades(wallet: str, t: datetime) -> None:
    """Add a token bought and sold with a gain, and a unit of each earlier token sent
    away.
    """
    mints = TokenResult.objects.filter(wallet_address=wallet).values_list("mint")
    for number, (mint,) in enumerate(mints):
        BalanceChangeFactory(
            wallet_address=wallet,
            mint=mint,
            slot=10**9,
            units=-1,
            block_time=t + timedelta(days=1),
            signature=f"{wallet[:40]}m{number}",
        )
    for day, side, lamports in ((1, "buy", 10**9), (2, "sell", 9 * 10**10)):
        TradeFactory(
            wallet_address=wallet,
            mint=LATER_MINT,
            slot=10**9 + day,
            side=side,
            value_lamports=lamports,
            block_time=t + timedelta(days=day),
            signature=f"{wallet[:40]}{side}",
        )


def other_prior(stored: dict[str, Any]) -> dict[str, Any]:
    """A population of wallets that gained less."""
    steps = [
        None if step is None else [step[0] - 0.1, *step[1:]] for step in stored["steps"]
    ]
    return {**stored, "steps": steps}


def delete_what_came_after(t: datetime, profiled_at: dict[str, datetime]) -> None:
    Trade.objects.filter(block_time__gt=t).delete()
    BalanceChange.objects.filter(block_time__gt=t).delete()
    TokenResult.objects.filter(as_of__gt=t).delete()
    Cycle.objects.filter(opened_at__gt=t).delete()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL walltrack.retention = 'on'")
        ScoreSnapshot.objects.filter(at__gt=t).delete()
        cursor.execute("SET LOCAL walltrack.retention = 'off'")
    later = Run.objects.filter(started_at__gt=t)
    RunWallet.objects.filter(run__in=later).delete()
    Position.objects.filter(run__in=later).delete()
    Wallet.objects.filter(scored_in__in=later).update(scored_in=None)
    later.delete()
    for wallet, at in profiled_at.items():
        Wallet.objects.filter(pk=wallet).update(profiled_at=at)


def wallets_with_units_that_are_not_stored() -> set[str]:
    """Return the wallets that sold more of a token than is stored as coming: units that
    arrived in the transaction of a trade are in no row.
    """
    units: Counter[tuple[str, str]] = Counter()
    for trade in Trade.objects.all():
        sign = 1 if trade.side == "buy" else -1
        units[trade.wallet_address, trade.mint] += sign * int(trade.token_units)
    for change in BalanceChange.objects.all():
        units[change.wallet_address, change.mint] += int(change.units)
    return {wallet for (wallet, _), left in units.items() if left < 0}


def test_with_everything_later_deleted_the_judgement_comes_out_identical(
    judged_at: datetime,
) -> None:
    before = {
        row.wallet_address: row
        for row in ScoreSnapshot.objects.filter(at__lte=judged_at)
    }
    changed = ScoreSnapshot.objects.filter(at__gt=judged_at)
    assert changed.count() > len(before) / 2  # the future is no trifle
    profiled_at = {
        wallet: datetime.fromtimestamp(row.evidence["as_of"], tz=row.at.tzinfo)
        for wallet, row in before.items()
    }
    delete_what_came_after(judged_at, profiled_at)
    for wallet in Wallet.objects.all():
        rebuild_token_results(wallet)
    prior = Prior.from_dict(Run.objects.get().prior)
    again = judge_wallets(Wallet.objects.filter(pk__in=before), prior)
    differing = {
        wallet
        for wallet, judged in again.items()
        if any(
            judged.columns[name] != getattr(before[wallet], name) for name in FIGURES
        )
    }
    assert again.keys() == before.keys()
    incomplete = wallets_with_units_that_are_not_stored()
    assert len(incomplete) <= len(before) / 20
    assert differing <= incomplete


def test_every_snapshot_follows_from_its_evidence_whatever_happened_later(
    judged_at: datetime,
) -> None:
    result = verify_snapshots(ScoreSnapshot.objects.all())
    assert ScoreSnapshot.objects.filter(at__gt=judged_at).exists()
    assert result.checked == ScoreSnapshot.objects.count()
    assert result.differences == []


def history(*arguments: str) -> str:
    out = io.StringIO()
    call_command("score_history", *arguments, stdout=out)
    return out.getvalue()


TOKENS = [snapshot_token(address(number)) for number in range(8)]


@pytest.mark.django_db
def test_a_figure_that_does_not_follow_from_the_evidence_is_named() -> None:
    ScoreSnapshotFactory(
        tokens_judged=TOKENS, tokens=8, score=0.1234, verdict="not known"
    )
    with pytest.raises(CommandError, match="do not follow") as error:
        history(address(0), "--verify")
    assert error.value.returncode == 1


@pytest.mark.django_db
def test_the_command_prints_the_history_of_a_control_wallet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = ScoreSnapshotFactory(arm="control", tokens_judged=TOKENS[:3])
    ScoreSnapshotFactory(
        arm="control",
        at=NOW + timedelta(days=7),
        cause="weekly",
        tokens_judged=TOKENS[:5],
    )
    Outcome.objects.create(snapshot=first, horizon_hours=24, due_at=NOW)
    history(address(0))
    printed = " ".join(capsys.readouterr().out.split())
    assert "2 more tokens count (2 new)" in printed
    assert "1 d: due on 24 Nov" in printed


@pytest.mark.django_db
@pytest.mark.parametrize(("wallet", "code"), [("nonsense", 2), (address(5), 1)])
def test_the_command_names_what_it_cannot_show(wallet: str, code: int) -> None:
    with pytest.raises(CommandError) as error:
        history(wallet)
    assert error.value.returncode == code
