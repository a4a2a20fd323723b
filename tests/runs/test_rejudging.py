"""Judgements of stored wallets."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.core.management import call_command

from discovery.analysis.profiles import build_profile
from discovery.models import TokenResult, Wallet
from discovery.pipeline.scoring import judge_wallets, latest_prior, save_judgements
from tests.factories import (
    NOW,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)

pytestmark = pytest.mark.django_db


def truncated_profile() -> dict[str, Any]:
    profile, _ = build_profile(
        {},
        now=int(NOW.timestamp()),
        liquidation_values={},
        seed_mints=frozenset(),
        entry_ranks={},
        overhead_lamports=0,
        truncated=True,
        unreconciled_mints=frozenset(),
        sol_usd_at=None,
    )
    return msgspec.to_builtins(profile)


def test_a_wallet_that_is_too_active_is_not_judged_by_the_trades_that_runs_found() -> (
    None
):
    WalletFactory(
        number=1, too_active=True, profiled_at=NOW, profile=truncated_profile()
    )
    TokenResultFactory(wallet=1)
    TradeFactory(wallet=1, block_time=NOW - timedelta(days=20))
    call_command("rejudge_wallets", "--all")
    wallet = Wallet.objects.get()
    assert TokenResult.objects.count() == 0
    assert (wallet.verdict, wallet.score) == ("not known", None)
    assert wallet.verdict_reason.startswith("too active")


def test_trades_from_before_the_days_of_a_profile_are_no_evidence() -> None:
    WalletFactory(number=1, profiled_at=NOW)
    TradeFactory(wallet=1, block_time=NOW - timedelta(days=120))
    call_command("rejudge_wallets", "--all")
    assert TokenResult.objects.count() == 0


def test_a_judgement_of_an_older_profile_is_not_saved() -> None:
    WalletFactory(
        number=1, profiled_at=NOW, verdict_reason="x", profile=truncated_profile()
    )
    prior, _ = latest_prior()
    judged = judge_wallets(Wallet.objects.all(), prior)
    assert judged
    Wallet.objects.update(profiled_at=NOW + timedelta(seconds=5))
    save_judgements(judged, None)
    assert Wallet.objects.get(pk=address(1)).verdict_reason == "x"
