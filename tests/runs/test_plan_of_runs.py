"""The plan against what a run then takes: calls and credits, on three worlds and from both
sources. The costs are learnt in another market of the same kind.
"""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from discovery.models import Run
from tests.markets import RunningMarket

pytestmark = pytest.mark.django_db(transaction=True)
TOLERANCE = 0.25


def plan(*options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("discover", "--plan", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def used(found: dict[str, Any], name: str) -> int:
    usage = Run.objects.get(pk=found["run_id"]).usage
    return sum(counts[name] for counts in usage.values())


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
@pytest.mark.parametrize("world", ["small", "traders", "living"])
def test_the_plan_is_within_a_quarter_of_what_the_run_takes(
    world: str,
    source: str,
    use_market: Callable[..., RunningMarket],
    discover: Callable[..., dict[str, Any]],
) -> None:
    use_market("--world", world, "--seed", "7", source=source)
    discover(profiles=True)
    use_market("--world", world, "--seed", "8", source=source)
    expected = plan()
    found = discover(profiles=True)
    assert expected["source"] == source
    assert expected["measured_runs"] == 1
    assert used(found, "calls") == pytest.approx(expected["total_calls"], rel=TOLERANCE)
    assert used(found, "credits") == pytest.approx(
        expected["helius_credits"], rel=TOLERANCE
    )
    assert len(found["tokens"]) == pytest.approx(expected["tokens"], rel=TOLERANCE)
