"""How many SQL statements a run needs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from discovery.jobs import step_runner, wallet_steps
from discovery.models import RunStep

WORLD = ("--world", "small", "--seed", "2")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written because time has passed: a slow machine would count more."""
    monkeypatch.setattr(step_runner, "STEP_HEARTBEAT_SECONDS", 3600.0)
    monkeypatch.setattr(wallet_steps, "STORE_AFTER_SECONDS", 3600.0)


@pytest.mark.usefixtures("_no_clock")
def test_a_run_needs_at_most_ten_statements_a_step(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    statements: list[str] = []

    def note(execute: Callable, sql: str, *arguments: Any) -> Any:
        statements.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        discover(profiles=True)
    steps = RunStep.objects.all()
    assert steps.filter(kind="wallet", status="done").count() > 100
    assert len(statements) <= 10 * steps.count()
