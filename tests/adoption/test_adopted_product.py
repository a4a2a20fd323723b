"""The product on an adopted database: runs, configuration, watchlist, admin."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.models import JSONField, Value
from django.test import Client
from django.urls import reverse

from discovery.domain.findings import Candidate, EarlyBuyer, Position
from discovery.domain.run_params import NUMBER_SPECS, Params
from discovery.jobs import run_lifecycle, step_queue
from discovery.models import Config, Run, RunWallet
from discovery.models.enums import StepKind, Trigger
from discovery.pipeline import save_token
from discovery.pipeline.analyse_token import TokenAnalysis
from tests.adoption.adoption_databases import (
    MINT_1,
    NULL_CONFIG,
    RUN_LEFT,
    RUN_LEFT_TOO,
    WALLET_A,
)

INTERRUPTED = {
    "step": "run",
    "code": "interrupted",
    "message": "interrupted before the upgrade",
}
ADOPTED_MODELS = (Run, RunWallet, Config)


def start() -> Run:
    return run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.MANUAL, triggered_by="ana"
        )
    )


@pytest.fixture
def operator(product: None, settings: Any, tmp_path: Path) -> Client:
    """Somebody who may see and change everything."""
    settings.STATIC_ROOT = (
        tmp_path  # a folder that is there: an install has collected its files
    )
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ana"))
    return client


def test_runs_left_running_do_not_block_a_start(product: None) -> None:
    run = start()

    assert Run.objects.active().first() == run


@pytest.mark.parametrize(
    ("left", "told"), [(RUN_LEFT, []), (RUN_LEFT_TOO, ["dexscreener: 429"])]
)
def test_a_run_left_running_is_closed_as_interrupted_before_the_upgrade(
    left: str, told: list[str], product: None
) -> None:
    start()

    run = Run.objects.get(pk=left)
    assert run.status == "failed"
    assert run.completed_at is not None
    assert run.errors == [*told, INTERRUPTED]


@pytest.mark.parametrize(
    "told",
    [
        None,
        "boom",
        {"code": 1},
    ],
)
def test_a_run_left_running_with_errors_that_are_no_list_is_closed(
    told: Any, product: None
) -> None:
    Run.objects.filter(pk=RUN_LEFT).update(errors=Value(told, JSONField()))

    start()

    run = Run.objects.get(pk=RUN_LEFT)
    assert run.status == "failed"
    assert run.errors == [*filter(None, [told]), INTERRUPTED]


def test_closed_runs_of_the_earlier_system_are_left_as_they_are(product: None) -> None:
    closed = Run.objects.exclude(status="running").order_by("pk")
    before = list(closed.values())

    start()

    assert [run["status"] for run in before] == ["completed", "completed", "failed"]
    assert list(closed.filter(pk__in=[run["id"] for run in before]).values()) == before


def test_a_wallet_of_the_earlier_system_that_is_found_again_is_known(
    product: None,
) -> None:
    run = start()
    zero = Fraction(0)
    position = Position(
        cost_basis_lamports=Fraction(100),
        matched_proceeds_lamports=Fraction(300),
        realised_lamports=Fraction(200),
        unmatched_proceeds_lamports=zero,
        profit_pct=Fraction(200),
        held_units=zero,
        buys=1,
        sells=1,
        last_trade_time=1_700_000_060,
        knowledge="known",
        unknown_reason="",
        known_share=Fraction(1),
        has_moved_out=False,
        later_cycles=0,
        history_incomplete=False,
    )
    buyer = EarlyBuyer(
        wallet=WALLET_A,
        mint=MINT_1,
        entry_rank=1,
        entry_seconds=5,
        first_buy_time=1_700_000_000,
        position=position,
        flags={},
        qualified=True,
        rejection="",
    )
    candidate = Candidate(mint=MINT_1)
    step_queue.add_steps(run.pk, StepKind.TOKEN, [MINT_1])
    claim = step_queue.claim_step(run.steps.get(kind="token").pk, "test")
    assert claim is not None
    result = TokenAnalysis(
        candidate=candidate,
        launched_at=1_699_999_995,
        launch_clock="curve",
        buyers=[buyer],
        trades=[],
        other_changes=[],
        transactions=2,
        funnel={},
    )
    with step_queue.completion(claim, counts={}, usage={}):
        save_token.save_token(run.pk, result)

    assert run.wallets.get(wallet_address=WALLET_A).is_new is False


@pytest.fixture
def null_config(product: None) -> None:
    """A configuration row in which the earlier system left every value out."""
    with connection.cursor() as cursor:
        cursor.execute(NULL_CONFIG)


def planned_tokens(capsys: pytest.CaptureFixture[str]) -> int:
    call_command("discover", "--plan", "--json")
    return int(json.loads(capsys.readouterr().out)["tokens"])


def test_the_plan_of_a_run_uses_the_adopted_configuration(
    product: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned_tokens(capsys) == 7


def test_the_plan_of_a_run_takes_nulls_of_the_configuration_as_defaults(
    null_config: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert planned_tokens(capsys) == 20


def test_nulls_of_the_configuration_are_read_as_the_default_parameters(
    null_config: None,
) -> None:
    assert Config.load().params == Params()


@pytest.mark.parametrize("model", ADOPTED_MODELS)
def test_the_admin_lists_the_adopted_rows(
    model: Any, null_config: None, operator: Client
) -> None:
    answer = operator.get(
        reverse(f"admin:discovery_{model._meta.model_name}_changelist"), follow=True
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("model", ADOPTED_MODELS)
def test_the_admin_opens_every_adopted_row(
    model: Any, null_config: None, operator: Client
) -> None:
    keys = model.objects.values_list("pk", flat=True)
    pages = [
        reverse(f"admin:discovery_{model._meta.model_name}_change", args=[key])
        for key in keys
    ]

    assert pages
    assert [operator.get(page, follow=True).status_code for page in pages] == [
        200
    ] * len(pages)


def test_nulls_of_the_configuration_can_be_filled_in_on_the_discovery_page(
    null_config: None, operator: Client
) -> None:
    operator.post(
        reverse("discovery:save-schedule"),
        {"schedule_version": 1, "enabled": "on", "schedule_hours": "4"},
    )
    values = {
        name: str(getattr(Params(), name))
        for name in NUMBER_SPECS
        if name != "max_requests_per_run"
    }
    answer = operator.post(
        reverse("discovery:save-params"),
        {**values, "params_version": 2, "max_tokens": "9"},
    )

    assert "Saved; used from the next run." in answer.content.decode()
    config = Config.load()
    assert (config.enabled, config.schedule_hours, config.max_tokens) == (True, 4, 9)


def test_wallets_of_the_earlier_system_have_their_pages(
    product: None, operator: Client
) -> None:
    start()
    assert operator.get(reverse("discovery:wallets")).status_code == 200
    assert operator.get(reverse("discovery:wallet", args=[WALLET_A])).status_code == 200
