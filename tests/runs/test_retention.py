"""What outlives its use is deleted; what an operator may ask about later is not."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from discovery.jobs import maintenance
from discovery.models import Run, Trade, Wallet
from tests.factories import RunFactory, TradeFactory, WalletFactory, address

pytestmark = pytest.mark.django_db


def test_old_trades_go_unless_their_wallet_is_watched(settings) -> None:
    settings.RETENTION_TRADES_DAYS = 180
    now = timezone.now()
    WalletFactory(number=0)
    for number, days in ((0, 400), (1, 181), (2, 179)):
        TradeFactory(wallet=number, block_time=now - timedelta(days=days))
    assert maintenance.apply_retention(now)["trades"] == 1
    assert set(Trade.objects.values_list("wallet_address", flat=True)) == {
        address(0),
        address(2),
    }


def test_runs_and_wallets_stay_however_old() -> None:
    now = timezone.now()
    RunFactory(started_at=now - timedelta(days=4000))
    WalletFactory(number=0)
    maintenance.apply_retention(now + timedelta(days=4000))
    assert (Run.objects.count(), Wallet.objects.count()) == (1, 1)


def test_sessions_go_when_they_have_expired() -> None:
    now = timezone.now()
    for key, hours in (("over", -1), ("open", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=now + timedelta(hours=hours)
        )
    assert maintenance.apply_retention(now)["sessions"] == 1
    assert Session.objects.get().session_key == "open"
