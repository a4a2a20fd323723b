"""What a run and a month are expected to use, asked through the API."""

from typing import Any

import pytest

from discovery.models import Config
from tests.api.client import Api
from tests.factories import RunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]


def test_the_plan_of_the_saved_parameters_has_a_run_and_a_month(
    reader: Api, settings: Any
) -> None:
    settings.HELIUS_API_KEY, settings.MONTHLY_CREDITS = "a-key", 1_000_000
    settings.PROVIDER_RPS = 0
    RunFactory(source="helius")
    plan = reader.post("config/plan").json()
    assert plan["run"]["total_calls"] == sum(plan["run"]["calls"].values())
    assert plan["month"]["runs"] == 124
    assert plan["credits"]["monthly"] == 1_000_000
    assert plan["credits"]["used"] == 120
    assert plan["last_runs"]["helius_credits"] == 120
    assert plan["notes"]


def test_the_plan_follows_the_parameters_of_the_body(reader: Api) -> None:
    few = reader.post("config/plan", {"params": {"max_tokens": 2}}).json()
    assert few["run"]["tokens"] == 2
    assert Config.objects.get().max_tokens == 20


def test_a_month_without_a_schedule_has_no_runs(reader: Api) -> None:
    Config.objects.update(enabled=False)
    assert reader.post("config/plan").json()["month"]["runs"] == 0


def test_a_parameter_out_of_bounds_is_refused(reader: Api) -> None:
    response = reader.post("config/plan", {"params": {"max_tokens": 0}})
    assert response.status_code == 400


def test_the_plan_needs_the_same_queries_for_any_number_of_runs(
    reader: Api, django_assert_max_num_queries: Any
) -> None:
    RunFactory.create_batch(8, source="solana_rpc")
    with django_assert_max_num_queries(18):
        reader.post("config/plan")
