"""The credits of a month: what counts, which scheduled runs start, what they are cut to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from discovery.domain.findings import Candidate
from discovery.domain.run_errors import ErrorCode, WarningSink
from discovery.domain.run_params import Params
from discovery.jobs import run_lifecycle, scheduler, upkeep
from discovery.jobs.run_lifecycle import RunRequest
from discovery.models import Config, Run, RunStep, RunWallet
from discovery.models.enums import RunStatus, StepKind, StepStatus, Trigger
from discovery.pipeline import cost_estimate
from discovery.pipeline.cost_estimate import admission_problem, limit_to_schedule
from discovery.pipeline.credit_budget import CreditBudget, credit_budget
from discovery.pipeline.find_tokens import TokenSearchResult
from discovery.pipeline.profile_room import most_promising, profile_room
from discovery.reads.credit_stop import credit_stop
from tests.factories import RunFactory, WalletFactory, address

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keyed(settings: Any, config: Config) -> None:
    settings.HELIUS_API_KEY = "a-key"
    settings.MONTHLY_CREDITS = 1_000_000
    settings.MARKET = "live"
    settings.PROVIDER_RPS = 0


def used_by_run(credits_used: int, **values: Any) -> Run:
    return RunFactory(
        usage={"helius": {"calls": 1, "credits": credits_used, "rate_limited": 0}},
        **values,
    )


def lone_step(kind: StepKind, credits_used: int, **values: Any) -> RunStep:
    return RunStep.objects.create(
        kind=kind,
        key=address(1),
        status=StepStatus.DONE,
        usage={"helius": {"calls": 1, "credits": credits_used}},
        completed_at=values.pop("completed_at", timezone.now()),
        **values,
    )


def budget() -> CreditBudget:
    found = credit_budget(Config.load())
    assert found is not None
    return found


def due() -> Run | None:
    now = timezone.now()
    Config.objects.update(next_run_at=now - timedelta(seconds=1))
    return scheduler.tick(now)


def search_result(count: int) -> TokenSearchResult:
    tokens = [Candidate(mint=address(number)) for number in range(count)]
    return TokenSearchResult(tokens=tokens, funnel={})


def scheduled_run(trigger: Trigger = Trigger.SCHEDULED) -> Run:
    return run_lifecycle.start(
        RunRequest(
            params=Params(), trigger=trigger, triggered_by="x", in_foreground=True
        )
    )


def test_runs_and_other_work_of_the_month_count_and_those_before_do_not() -> None:
    used_by_run(1_000)
    lone_step(StepKind.REFRESH, 200)
    lone_step(StepKind.PROFILE, 30)
    before = timezone.now() - timedelta(days=40)
    earlier = used_by_run(500_000, completed_at=before)
    Run.objects.filter(pk=earlier.pk).update(created_at=before)
    lone_step(StepKind.REFRESH, 70_000, completed_at=before)
    found = budget()
    assert (found.used, found.used_by_upkeep) == (1_230, 200)
    assert found.kept_for_upkeep == 200_000 - 200
    assert found.left_for_runs == 1_000_000 - 1_230 - 199_800


def test_an_active_run_counts_by_its_steps() -> None:
    run = scheduled_run(Trigger.MANUAL)
    run.steps.update(usage={"helius": {"calls": 1, "credits": 77}})
    assert budget().used == 77
    without = credit_budget(Config.load(), without_run=run.pk)
    assert without is not None
    assert without.used == 0


def test_without_a_key_or_a_plan_nothing_is_limited(settings: Any) -> None:
    settings.MONTHLY_CREDITS = 0
    assert credit_budget(Config.load()) is None
    settings.MONTHLY_CREDITS, settings.HELIUS_API_KEY = 5, ""
    assert credit_budget(Config.load()) is None


def test_a_scheduled_run_does_not_start_if_the_credits_do_not_suffice(
    settings: Any,
) -> None:
    used_by_run(799_900)
    run = due()
    assert run is not None
    assert run.status == RunStatus.SKIPPED
    (error,) = run.errors
    assert error["code"] == ErrorCode.CREDITS
    assert (
        "799,900 of this month's 1,000,000 Helius credits are used" in error["message"]
    )
    assert Config.objects.get().next_run_at > timezone.now()
    stop = credit_stop(timezone.now())
    assert stop is not None
    assert stop.reason == error["message"]
    assert stop.until.astimezone(UTC).day == 1


def test_runs_begin_again_with_the_next_month() -> None:
    used_by_run(799_900)
    due()
    assert credit_stop(timezone.now() + timedelta(days=32)) is None
    assert credit_stop(datetime(2000, 1, 1, tzinfo=UTC)) is None


def test_a_scheduled_run_starts_while_credits_are_left() -> None:
    used_by_run(500_000)
    run = due()
    assert run is not None
    assert run.status == RunStatus.QUEUED
    assert credit_stop(timezone.now()) is None


def test_a_manual_run_starts_whatever_is_left() -> None:
    used_by_run(999_999)
    assert scheduled_run(Trigger.MANUAL).status == RunStatus.QUEUED


def test_refreshes_keep_their_share_until_everything_is_used_up() -> None:
    WalletFactory(
        number=1, profiled_at=timezone.now() - timedelta(days=30), verdict="follow"
    )
    used = used_by_run(1_000_000)
    assert upkeep.plan_upkeep() == 0
    used.delete()
    used_by_run(800_000)
    assert upkeep.plan_upkeep() == 1


def test_a_scheduled_run_is_cut_to_its_share_of_the_month_and_says_so() -> None:
    used_by_run(400_000)
    warnings = WarningSink("find_tokens")
    run = scheduled_run()
    result = limit_to_schedule(search_result(20), run, "helius", warnings)
    assert 1 <= len(result.tokens) < 20
    (entry,) = warnings.entries
    assert entry["code"] == ErrorCode.PLAN_CUT
    assert "of the plan's 1,000,000" in entry["message"]
    assert result.funnel["token_over_schedule"] == 20 - len(result.tokens)


def test_a_manual_run_is_not_cut_for_credits() -> None:
    used_by_run(700_000)
    warnings = WarningSink("find_tokens")
    run = scheduled_run(Trigger.MANUAL)
    result = limit_to_schedule(search_result(20), run, "helius", warnings)
    assert len(result.tokens) == 20
    assert not warnings.entries


def test_the_default_schedule_fits_the_free_plan_for_a_month(settings: Any) -> None:
    """With the default parameters, every run of the longest month starts and the plan is
    not used up.
    """
    plan = cost_estimate.plan_cost(Params())
    assert plan.budget is not None
    assert plan.cut == "credits"
    assert plan.runs_per_month == 124
    # By now the month has begun: a run may use what is left for each slot.
    assert plan.scheduled.helius_credits <= plan.budget.allowance
    slots = plan.budget.slots
    used = slots * plan.scheduled.helius_credits + plan.upkeep.credits
    assert used <= plan.budget.monthly


def test_a_keyless_run_is_cut_to_the_hours_between_two_runs(settings: Any) -> None:
    settings.HELIUS_API_KEY = ""
    settings.SOLANA_RPC_URL = "https://api.mainnet-beta.solana.com"
    warnings = WarningSink("find_tokens")
    run = scheduled_run()
    result = limit_to_schedule(search_result(20), run, "solana_rpc", warnings)
    assert 1 <= len(result.tokens) < 20
    assert "with the profiles of their wallets" in warnings.entries[0]["message"]
    plan = cost_estimate.plan_cost(Params())
    assert plan.scheduled.seconds <= 6 * 3600
    assert plan.scheduled.tokens == len(result.tokens)
    assert plan.scheduled.control_wallets < 25


def test_profiles_are_cut_to_the_time_that_is_left(settings: Any) -> None:
    settings.HELIUS_API_KEY = ""
    settings.SOLANA_RPC_URL = "https://api.mainnet-beta.solana.com"
    run = scheduled_run()
    Run.objects.filter(pk=run.pk).update(source="solana_rpc")
    run.refresh_from_db()
    room = profile_room(run, 300, 50, 25)
    assert 0 < room.finds < 300
    assert room.leftovers == 0
    assert room.controls < 25
    assert f"{room.finds} of 300 wallets found" in room.note
    few = profile_room(run, 10, 200, 2)
    assert (few.finds, few.controls, few.note) == (10, 2, "")
    assert 0 < few.leftovers < 200


def test_the_wallets_with_the_largest_profits_are_profiled_first() -> None:
    run = scheduled_run()
    for number, profit in ((1, 5), (2, 9), (3, None)):
        RunWallet.objects.create(
            run=run,
            wallet_address=address(number),
            source_token=address(9),
            realised_lamports=profit,
        )
    wallets = sorted(address(number) for number in (1, 2, 3))
    assert most_promising(run, wallets, 2) == [address(2), address(1)]
    assert most_promising(run, wallets, 3) == wallets


def test_a_source_without_credits_is_never_refused(settings: Any) -> None:
    used_by_run(999_999, source="solana_rpc", source_note="the key was refused")
    assert admission_problem(Config.load()) == ""


def test_usage_of_the_month_outlives_a_short_retention(settings: Any) -> None:
    from discovery.models.expired_rows import expired_lone_steps
    from walltrack.upkeep import RecordSettings

    day = timedelta(days=1)
    settings.RECORDS = RecordSettings(day, 2 * day, day, day)
    lone_step(StepKind.REFRESH, 5, completed_at=timezone.now() - 20 * day)
    assert not expired_lone_steps(timezone.now()).exists()
    assert expired_lone_steps(timezone.now() + 12 * day).exists()


def test_the_page_says_that_scheduled_runs_have_stopped(
    person: Callable[..., Any], client: Any
) -> None:
    used_by_run(799_900)
    due()
    client.force_login(person("viewer", is_staff=True))
    page = client.get("/admin/discovery/").content.decode()
    assert "Scheduled runs have stopped until" in page
    assert "Run now” still starts a run" in page
