"""Celery tasks: ids as arguments, three lines each. What they do stands in runs/ and schedule.py."""

from asgiref.sync import async_to_sync
from celery import shared_task

from discovery.jobs import celery_signals, maintenance, scheduler
from discovery.jobs.step_runner import carry_out
from discovery.pipeline import profile_on_demand, scoring
from discovery.pipeline import refresh_pumps as pump_refresh

__all__ = ["celery_signals"]  # connected to Celery's signals by being imported


@shared_task(name="discovery.step")
def step(step_id: int) -> None:
    """Carry out one step of a run."""
    async_to_sync(carry_out)(step_id, maintenance.this_worker())


@shared_task(name="discovery.profile_wallet")
def profile_wallet(address: str) -> None:
    """Profile and score one wallet, outside of a run."""
    async_to_sync(profile_on_demand.profile)(address)


@shared_task(name="discovery.refresh_pumps")
def refresh_pumps() -> None:
    """Look which tokens pass the filters now."""
    async_to_sync(pump_refresh.refresh)()


@shared_task(name="discovery.tick")
def tick() -> None:
    """Start the run of a slot that has come."""
    scheduler.tick()


@shared_task(name="discovery.sweep")
def sweep() -> None:
    """Give work of dead workers to others, and tell workers again of what they have not heard."""
    maintenance.sweep()


@shared_task(name="discovery.canary")
def canary() -> None:
    """Say that a message came through the queue."""
    maintenance.canary()


@shared_task(name="discovery.check_decay")
def check_decay() -> None:
    """Score every wallet anew: time passes, records age."""
    scoring.rescore()


@shared_task(name="discovery.retention")
def retention() -> None:
    """Delete what is kept for a time only."""
    maintenance.retention()
