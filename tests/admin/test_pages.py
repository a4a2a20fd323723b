"""The admin pages: every one opens, facts stay facts, the configuration is checked in the same words."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from discovery.models import (
    DiscoveryApiKey,
    DiscoveryConfig,
    DiscoveryPosition,
    DiscoveryRun,
    DiscoveryRunToken,
    DiscoveryRunWallet,
    DiscoveryTrade,
    DiscoveryWallet,
)

pytestmark = pytest.mark.django_db
ADDRESS = "DQmMnakiKr1YNE2gcpggLCzBrauBwFbQkAaao2FTbjgp"
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
OURS = [model for model in site._registry if model._meta.app_label == "discovery"]


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ana", password="a long enough password"))
    return client


@pytest.fixture
def rows() -> Callable[[int], None]:
    """`rows(n)`: n of everything."""

    def make(count: int) -> None:
        DiscoveryConfig.load()
        for number in range(count):
            run = DiscoveryRun.objects.create(
                started_at=timezone.now(), status="completed", stage="done", trigger_type="manual", errors=["lost"]
            )
            DiscoveryRunToken.objects.create(run=run, mint=MINT, symbol="<b>\u202eX</b>")
            DiscoveryRunWallet.objects.create(
                run=run, wallet_address=ADDRESS, source_token=MINT, realised_lamports=1_500_000_000, row_version=1
            )
            signature = f"{number}" * 64
            DiscoveryTrade.objects.create(
                signature=signature[:88], wallet_address=ADDRESS, mint=MINT, slot=1, side="buy", token_units=1,
                token_decimals=6, quote_mint=MINT, quote_units=1, value_lamports=None,
            )  # fmt: skip
        DiscoveryApiKey.objects.get_or_create(name="robot", prefix="0123abcd", secret_hash="0" * 64)
        DiscoveryWallet.objects.create(address=ADDRESS)
        DiscoveryPosition.objects.create(wallet_address=ADDRESS, mint=MINT, realised_lamports=-5)

    return make


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_opens_empty_and_full(model, operator: Client, rows: Callable) -> None:
    url = reverse(f"admin:discovery_{model._meta.model_name}_changelist")
    assert operator.get(url).status_code == 200
    rows(3)
    assert operator.get(url).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_row_opens(model, operator: Client, rows: Callable) -> None:
    rows(1)
    row = model.objects.first()
    assert operator.get(reverse(f"admin:discovery_{model._meta.model_name}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_list_asks_as_often_for_one_row_as_for_many(model, operator: Client, rows: Callable) -> None:
    url = reverse(f"admin:discovery_{model._meta.model_name}_changelist")
    counts = []
    for more in (1, 12):
        DiscoveryWallet.objects.all().delete()
        DiscoveryPosition.objects.all().delete()
        DiscoveryTrade.objects.all().delete()
        rows(more)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            operator.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_the_front_door_leads_to_the_admin(operator: Client) -> None:
    assert operator.get("/").headers["Location"] == reverse("admin:index")


def test_a_run_with_losses_says_so_in_words(operator: Client, rows: Callable) -> None:
    rows(1)
    page = operator.get(reverse("admin:discovery_discoveryrun_changelist")).content.decode()
    assert "completed with errors" in page


def test_chain_text_is_harmless(operator: Client, rows: Callable) -> None:
    rows(1)
    page = operator.get(reverse("admin:discovery_discoveryruntoken_changelist")).content.decode()
    assert "<b>" not in page.split("result_list")[1]
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("model", [DiscoveryRun, DiscoveryTrade, DiscoveryPosition, DiscoveryRunWallet])
def test_facts_are_neither_added_nor_changed_nor_deleted(model, operator: Client, rows: Callable) -> None:
    rows(1)
    name = model._meta.model_name
    row = model.objects.first()
    assert operator.get(reverse(f"admin:discovery_{name}_add")).status_code == 403
    assert operator.post(reverse(f"admin:discovery_{name}_change", args=[row.pk]), {}).status_code == 403
    assert operator.post(reverse(f"admin:discovery_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def form(**changes: object) -> dict[str, object]:
    values = {
        "enabled": "true", "schedule_hours": 6, "min_price_change_pct": "100", "min_volume_usd": "50000",
        "min_liquidity_usd": "10000", "max_token_age_hours": 72, "early_window_minutes": 30, "min_profit_pct": "50",
        "max_tokens": 20, "max_requests_per_run": "", "profile_immediately": "true", "excluded_flags": '["plumbing"]',
    }  # fmt: skip
    return {**values, **changes}


def test_a_change_of_the_configuration_is_kept_with_who_and_counted(operator: Client) -> None:
    config = DiscoveryConfig.load()
    url = reverse("admin:discovery_discoveryconfig_change", args=[1])
    assert operator.post(url, form(max_tokens=7, min_profit_pct="12.5")).status_code == 302
    before = config.version
    config.refresh_from_db()
    assert (config.max_tokens, config.min_profit_pct, config.updated_by) == (7, Decimal("12.50"), "ana")
    assert config.version == before + 1
    assert config.history.first().history_user.username == "ana"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("max_tokens", 0, "0 is not between 1 and 100 tokens"),
        ("min_profit_pct", "500.01", "500.01 is not between 0 and 500 %"),
        ("early_window_minutes", "", "This field is required."),
        ("schedule_hours", 25, "25 is not between 1 and 24 h"),
        ("max_requests_per_run", 5, "5 is not between 100 and 10,000,000 calls"),
    ],
)
def test_a_value_out_of_bounds_is_told_beside_its_field_and_nothing_changes(
    field: str, value: object, words: str, operator: Client
) -> None:
    DiscoveryConfig.load()
    answer = operator.post(reverse("admin:discovery_discoveryconfig_change", args=[1]), form(**{field: value}))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert DiscoveryConfig.load().version == 1


def test_the_configuration_is_neither_added_nor_deleted(operator: Client) -> None:
    DiscoveryConfig.load()
    assert operator.get(reverse("admin:discovery_discoveryconfig_add")).status_code == 403
    assert operator.get(reverse("admin:discovery_discoveryconfig_delete", args=[1])).status_code == 403


def test_a_label_and_a_note_are_an_operators_and_their_history_is_kept(operator: Client, rows: Callable) -> None:
    rows(1)
    url = reverse("admin:discovery_discoverywallet_change", args=[ADDRESS])
    assert operator.post(url, {"status": "blacklisted", "label": "insider", "note": "see chat"}).status_code == 302
    wallet = DiscoveryWallet.objects.get(pk=ADDRESS)
    assert (wallet.status, wallet.label) == ("blacklisted", "insider")
    assert wallet.history.first().history_user.username == "ana"


@pytest.mark.parametrize("errors", [None, "boom", {"code": 1}, [], ["a line", {"step": "s", "message": "m"}]])
def test_a_run_opens_whatever_the_earlier_system_wrote_as_errors(errors: object, operator: Client) -> None:
    run = DiscoveryRun.objects.create(started_at=timezone.now(), trigger_type="manual", errors=errors)
    assert operator.get(reverse("admin:discovery_discoveryrun_change", args=[run.pk])).status_code == 200
