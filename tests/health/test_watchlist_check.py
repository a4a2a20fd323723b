"""The check `watchlist`: whether profiles are refreshed as their rules say."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from discovery.models import Provider
from discovery.models.enums import VerdictChoice, WalletOrigin, WalletStatus
from tests.factories import WalletFactory

HOUR = timedelta(hours=1)


def wallet(age: timedelta, **values: Any) -> None:
    WalletFactory(profiled_at=timezone.now() - age, **values)


def status(get_health: Any) -> str:
    return str(get_health()["checks"]["watchlist"]["status"])


@pytest.mark.parametrize(
    ("verdict", "hours", "expected"),
    [
        (VerdictChoice.FOLLOW, 11, "pass"),
        (VerdictChoice.FOLLOW, 13, "warn"),
        (VerdictChoice.WATCH, 47, "pass"),
        (VerdictChoice.WATCH, 49, "warn"),
        (VerdictChoice.NEUTRAL, 13 * 24, "pass"),
        (VerdictChoice.NEUTRAL, 15 * 24, "warn"),
    ],
)
def test_a_profile_older_than_twice_its_rule_is_a_warning(
    verdict: str, hours: int, expected: str, healthy_system: None, get_health: Any
) -> None:
    wallet(hours * HOUR, verdict=verdict)
    assert status(get_health) == expected


def test_blacklisted_and_control_wallets_may_be_old(
    healthy_system: None, get_health: Any
) -> None:
    wallet(90 * 24 * HOUR, status=WalletStatus.BLACKLISTED)
    other = "So11111111111111111111111111111111111111112"
    wallet(90 * 24 * HOUR, address=other, origin=WalletOrigin.CONTROL)
    assert status(get_health) == "pass"


def test_old_profiles_are_no_fault_of_the_workers_while_the_market_does_not_answer(
    healthy_system: None, get_health: Any
) -> None:
    wallet(90 * 24 * HOUR)
    Provider.objects.update_or_create(
        name="helius",
        defaults={
            "last_success_at": timezone.now() - HOUR,
            "last_failure_at": timezone.now(),
            "last_cause": "503",
        },
    )
    Provider.objects.filter(name="solana_rpc").delete()
    assert status(get_health) == "pass"


def test_without_a_budget_old_profiles_are_no_warning(
    healthy_system: None, get_health: Any, settings: Any
) -> None:
    wallet(90 * 24 * HOUR)
    settings.REFRESH = settings.REFRESH._replace(calls_per_day=0)
    assert status(get_health) == "pass"
