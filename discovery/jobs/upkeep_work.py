"""The work of a step that reads wallets again: for their age, or because outcomes are
due.
"""

from typing import Any

from asgiref.sync import sync_to_async

from discovery.clients.provider_clients import Providers
from discovery.domain.times import datetime_from_unix
from discovery.jobs.step_context import StepContext
from discovery.pipeline.refresh_wallets import Refresh, refresh_wallets
from discovery.pipeline.save_refresh import load_wallets_to_refresh, save_refresh
from walltrack import clock


async def refresh(step: StepContext, providers: Providers) -> None:
    """Read the wallets of the step again, measure their outcomes that are due, and judge
    them. Raises ProviderError.
    """
    now = int(clock.unix_now())
    wallets = await sync_to_async(load_wallets_to_refresh)(
        step.payload["wallets"], datetime_from_unix(now)
    )
    found = await refresh_wallets(wallets, providers, now=now, warnings=step.warnings)
    await sync_to_async(step.store)(save_refresh, found, now, counts=_counts(found))


def _counts(found: Refresh) -> dict[str, Any]:
    """Return the numbers of wallets read, of those with something new, of those that
    could not be read, and of outcomes.
    """
    readings = [wallet.result.reading for wallet in found.refreshed]
    outcomes = [wallet.measurement.outcomes for wallet in found.refreshed]
    return {
        "wallets": len(readings),
        "active": sum(reading.history.new_count > 0 for reading in readings),
        "failed": len(found.failed),
        "outcomes": sum(map(len, outcomes)),
    }
