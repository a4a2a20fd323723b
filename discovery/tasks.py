"""Celery tasks: ids as arguments, one call each. The work itself is in jobs/ and
pipeline/.
"""

from asgiref.sync import async_to_sync
from celery import shared_task

from discovery.jobs import (
    celery_signals,
    heartbeats,
    hung_process,
    maintenance,
    retention,
    scheduler,
    step_runner,
    upkeep,
)
from discovery.jobs.periodic_messages import PeriodicMessageTask
from discovery.models.enums import TaskName
from discovery.pipeline import scoring

__all__ = ["celery_signals"]  # importing it connects the handlers


@shared_task(name=str(TaskName.STEP))
def step_task(step_id: int) -> None:
    """Run one step, of a run or of none."""
    with hung_process.ended_if_hung():
        async_to_sync(step_runner.run_step)(step_id, heartbeats.current_worker())


@shared_task(name=str(TaskName.TICK), base=PeriodicMessageTask)
def tick_task() -> None:
    """Start the scheduled run that is due."""
    scheduler.tick()


@shared_task(name=str(TaskName.SWEEP), base=PeriodicMessageTask)
def sweep_task() -> None:
    """Return work of dead workers to the queue and send lost messages again."""
    maintenance.sweep()


@shared_task(name=str(TaskName.CANARY), base=PeriodicMessageTask)
def canary_task() -> None:
    """Store that a message passed through the queue."""
    heartbeats.write_canary()


@shared_task(name=str(TaskName.UPKEEP), base=PeriodicMessageTask)
def upkeep_task() -> None:
    """Plan the wallets to read again and the outcomes to measure."""
    upkeep.plan_upkeep()


@shared_task(name=str(TaskName.CHECK_DECAY), base=PeriodicMessageTask)
def check_decay_task() -> None:
    """Judge every wallet again, by the population of the last run."""
    scoring.rescore()


@shared_task(name=str(TaskName.RETENTION), base=PeriodicMessageTask)
def retention_task() -> None:
    """Delete rows past their retention."""
    retention.apply_retention()
