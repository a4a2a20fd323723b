"""The admin pages: every one opens, facts stay facts, the configuration is checked in
the same words.
"""

from collections.abc import Callable

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from discovery import services
from discovery.jobs import beat_schedule
from discovery.models import (
    ApiKey,
    Config,
    Position,
    Run,
    RunToken,
    RunWallet,
    Trade,
    Wallet,
)

pytestmark = pytest.mark.django_db
ADDRESS = "DQmMnakiKr1YNE2gcpggLCzBrauBwFbQkAaao2FTbjgp"
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
OURS = [model for model in site._registry if model._meta.app_label == "discovery"]


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(
        User.objects.create_superuser("ana", password="a long enough password")
    )
    return client


@pytest.fixture
def rows() -> Callable[[int], None]:
    """`rows(n)`: n of everything."""

    def make(count: int) -> None:
        Config.load()
        for number in range(count):
            run = Run.objects.create(
                started_at=timezone.now(),
                status="completed",
                stage="done",
                trigger_type="manual",
                errors=["lost"],
            )
            RunToken.objects.create(run=run, mint=MINT, symbol="<b>\u202eX</b>")
            RunWallet.objects.create(
                run=run,
                wallet_address=ADDRESS,
                source_token=MINT,
                realised_lamports=1_500_000_000,
                row_version=1,
            )
            signature = f"{number}" * 64
            Trade.objects.create(
                signature=signature[:88], wallet_address=ADDRESS, mint=MINT, slot=1, side="buy", token_units=1,
                token_decimals=6, quote_mint=MINT, quote_units=1, value_lamports=None,
            )  # fmt: skip
        ApiKey.objects.get_or_create(
            name="robot", prefix="0123abcd", secret_hash="0" * 64
        )
        Wallet.objects.create(address=ADDRESS)
        Position.objects.create(wallet_address=ADDRESS, mint=MINT, realised_lamports=-5)

    return make


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_opens_empty_and_full(
    model, operator: Client, rows: Callable
) -> None:
    url = reverse(f"admin:discovery_{model._meta.model_name}_changelist")
    assert operator.get(url).status_code == 200
    rows(3)
    assert operator.get(url).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_row_opens(model, operator: Client, rows: Callable) -> None:
    rows(1)
    row = model.objects.first()
    url = reverse(f"admin:discovery_{model._meta.model_name}_change", args=[row.pk])
    assert operator.get(url, follow=True).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_list_asks_as_often_for_one_row_as_for_many(
    model, operator: Client, rows: Callable
) -> None:
    url = reverse(f"admin:discovery_{model._meta.model_name}_changelist")
    counts = []
    for more in (1, 12):
        Wallet.objects.all().delete()
        Position.objects.all().delete()
        Trade.objects.all().delete()
        rows(more)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            operator.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_a_run_with_losses_says_so_in_words(operator: Client, rows: Callable) -> None:
    rows(1)
    page = operator.get(reverse("admin:discovery_run_changelist")).content.decode()
    assert "completed with errors" in page


def test_chain_text_is_harmless(operator: Client, rows: Callable) -> None:
    rows(1)
    page = operator.get(reverse("admin:discovery_runtoken_changelist")).content.decode()
    assert "<b>" not in page.split("result_list")[1]
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("model", [Trade, Position, RunWallet, RunToken])
def test_facts_are_neither_added_nor_changed_nor_deleted(
    model, operator: Client, rows: Callable
) -> None:
    rows(1)
    name = model._meta.model_name
    row = model.objects.first()
    assert operator.get(reverse(f"admin:discovery_{name}_add")).status_code == 403
    assert (
        operator.post(
            reverse(f"admin:discovery_{name}_change", args=[row.pk]), {}
        ).status_code
        == 403
    )
    assert (
        operator.post(
            reverse(f"admin:discovery_{name}_delete", args=[row.pk]), {"post": "yes"}
        ).status_code
        == 403
    )


def test_every_version_of_the_configuration_is_kept_with_its_author(
    operator: Client,
) -> None:
    config = Config.load()
    services.save_config({"max_tokens": 7}, version=config.version, by="a robot")
    page = operator.get(
        reverse("admin:discovery_config_history", args=[1])
    ).content.decode()
    assert "by a robot" in page


def test_the_configuration_is_changed_on_the_discovery_page_alone(
    operator: Client,
) -> None:
    Config.load()
    answer = operator.post(
        reverse("admin:discovery_config_change", args=[1]), {"max_tokens": 5}
    )
    assert answer.status_code == 403
    assert Config.objects.get().max_tokens == 20


@pytest.mark.parametrize(
    "name", ["auth_user", "auth_group", "django_celery_beat_periodictask"]
)
@pytest.mark.parametrize("page", ["changelist", "add"])
def test_people_and_intervals_open(name: str, page: str, operator: Client) -> None:
    assert operator.get(reverse(f"admin:{name}_{page}")).status_code == 200


def test_an_interval_that_was_paused_here_stays_so(operator: Client) -> None:
    beat_schedule.create_missing_intervals()
    task = PeriodicTask.objects.get(name="walltrack: decay check")
    page = operator.get(
        reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    )
    assert page.status_code == 200
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=False)
    beat_schedule.create_missing_intervals()
    task.refresh_from_db()
    assert task.enabled is False


def test_a_table_opens_under_its_name_with_the_prefix_too(operator: Client) -> None:
    response = operator.get("/admin/discovery/discoveryrun/?status__exact=failed")
    assert response.status_code == 302
    assert response["Location"] == "/admin/discovery/run/?status__exact=failed"
