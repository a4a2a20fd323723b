"""Every door leads to the same run: one ledger, the same wallets to the lamport."""

import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from discovery import services
from discovery.domain.api_keys import new_key
from discovery.jobs import scheduler
from discovery.jobs.heartbeats import worker_name
from discovery.models import ApiKey, Config, Cycle, Position, Run
from discovery.models.enums import Trigger
from tests.api.client import Api
from tests.runs.workers import (
    WORLD,
    assert_true,
    completions_counted,
    environment,
    found_rows,
    over,
    true_rows,
    wait_for,
    workers,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def env(use_market: Callable, settings) -> dict[str, str]:
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return environment(use_market(*WORLD).urls())


@pytest.fixture
def counted(db: None) -> Iterator[Callable[[Run], Counter[int]]]:
    with completions_counted() as count:
        yield count


def through_the_api() -> Run:
    key = new_key()
    ApiKey.objects.create(
        name="robot", prefix=key.prefix, secret_hash=key.secret_hash, scope="run"
    )
    answer = Api(Client(), key.text).post("run")
    assert answer.status_code == 202
    return Run.objects.get(pk=answer.json()["run_id"])


def by_the_tick() -> Run:
    Config.objects.update(
        enabled=True, next_run_at=timezone.now() - timedelta(seconds=1)
    )
    run = scheduler.tick()
    assert run is not None
    return run


def by_the_command(*options: str) -> Run:
    out = io.StringIO()
    call_command("discover", "--json", *options, stdout=out)
    return Run.objects.get(pk=json.loads(out.getvalue())["run_id"])


def by_a_retry_of(run: Run) -> Run:
    return services.retry_run(run.pk, trigger=Trigger.API, triggered_by="ana")


def by_whom(run: Run) -> set[str]:
    """The workers that closed its steps."""
    return {
        token.rsplit(":", 1)[0]
        for token in run.steps.values_list("claimed_by", flat=True)
    }


def what_it_says(run: Run) -> dict[str, Any]:
    """All that a run leaves behind that follows neither the clock nor the price of SOL."""
    cycles = (
        "wallet_address",
        "mint",
        "number",
        "result",
        "close_reason",
        "put_in_lamports",
        "net_lamports",
        "exclusion_reason",
    )
    positions = (
        "wallet_address",
        "mint",
        "cost_lamports",
        "realised_lamports",
        "entry_rank",
        "rejection",
        "flags",
    )
    return {
        "found": found_rows(run),
        "funnel": run.funnel,
        "tokens": sorted(
            run.tokens.values_list("mint", "early_buyers", "qualified", "transactions")
        ),
        "flags": sorted(
            run.wallets.values_list("wallet_address", "source_token", "flags")
        ),
        "steps": sorted(run.steps.values_list("kind", "key")),
        "positions": list(
            Position.objects.order_by("wallet_address", "mint").values_list(*positions)
        ),
        "cycles": list(
            Cycle.objects.order_by("wallet_address", "mint", "number").values_list(
                *cycles
            )
        ),
    }


def test_api_tick_command_retry_and_foreground_find_the_same_wallets_to_the_lamport(
    env: dict[str, str], counted: Callable[[Run], Counter[int]], tmp_path: Path
) -> None:
    runs: list[Run] = []
    said: list[dict[str, Any]] = []

    def ended(run: Run) -> None:
        assert wait_for(over(run), 60), [
            log.read_text()[-3000:] for log in tmp_path.glob("*.log")
        ]
        runs.append(run)
        assert_true(run, runs=len(runs))
        assert counted(run) == Counter(
            run.steps.values_list("pk", flat=True)
        )  # each step once
        said.append(what_it_says(run))

    with workers(2, env, tmp_path) as both:
        ended(through_the_api())
        ended(by_the_tick())
        ended(by_the_command())
        ended(by_a_retry_of(runs[0]))
        for run in runs:
            assert by_whom(run) == {
                worker_name(worker.process.pid) for worker in both
            }  # each has worked
    ended(by_the_command("--foreground"))
    assert by_whom(runs[-1]) == {worker_name()}

    api, tick, _, retry, _ = runs
    assert [run.trigger_type for run in runs] == [
        "api",
        "scheduled",
        "manual",
        "api",
        "manual",
    ]
    assert [run.in_foreground for run in runs] == [False, False, False, False, True]
    assert (retry.retry_of, retry.attempt, tick.scheduled_for is not None) == (
        api,
        2,
        True,
    )
    assert len(true_rows()) >= 20
    for one, other in itertools.pairwise(said):
        assert one == other
