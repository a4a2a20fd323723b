"""Profiles of several wallets of a run, side by side: read from the database together,
stored together, each with an end of its own.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from discovery.clients.provider_clients import Providers
from discovery.clients.usage import use_meter
from discovery.jobs.step_attempts import CONNECTION_ERRORS, fail_attempt
from discovery.jobs.step_context import StepContext, StepGroup
from discovery.jobs.step_queue import completions
from discovery.jobs.step_work import profile_counts
from discovery.pipeline.profile_wallet import (
    WalletContext,
    WalletResult,
    profile_wallet,
)
from discovery.pipeline.save_profile import save_profiles
from discovery.pipeline.wallet_context import load_wallet_contexts
from walltrack import clock
from walltrack.logs import bind

log = logging.getLogger(__name__)

STORE_AFTER_SECONDS: Final = 2.0
"""A profile waits this long for others that are stored with it: long enough to save
statements, short enough to lose nothing worth mentioning.
"""

Profiled = tuple[StepContext, WalletResult]


async def profile_wallets(group: StepGroup, providers: Providers) -> None:
    """Profile the wallets of the group. An error costs its own wallet only. Raises
    ClaimLost, and a DatabaseError of a lost connection.
    """
    addresses = [step.claim.key for step in group.open]
    contexts = await sync_to_async(load_wallet_contexts)(addresses)
    await _Profiles(group, providers, contexts).run()


class _Profiles:
    """The profiles that are being made and those that wait to be stored."""

    def __init__(
        self,
        group: StepGroup,
        providers: Providers,
        contexts: dict[str, WalletContext],
    ) -> None:
        self._group = group
        self._providers = providers
        self._contexts = contexts
        self._tasks: dict[asyncio.Task[WalletResult], StepContext] = {}
        self._ready: list[Profiled] = []
        self._store_at = 0.0

    async def run(self) -> None:
        """Profile all, and store what is ready from time to time."""
        self._tasks = {
            asyncio.ensure_future(self._profile(step)): step
            for step in self._group.open
        }
        try:
            while self._tasks or self._ready:
                await self._take_finished()
                if self._ready and (not self._tasks or self._is_time_to_store()):
                    await self._store()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _profile(self, step: StepContext) -> WalletResult:
        address = step.claim.key
        with bind(step=step.claim.name), use_meter(step.meter):
            return await profile_wallet(
                address,
                self._contexts[address],
                self._providers,
                now=int(clock.unix_now()),
                warnings=step.warnings,
            )

    async def _take_finished(self) -> None:
        """Wait for the next profile, or until those that are ready have to be stored."""
        timeout = None
        if self._ready:
            timeout = max(0.0, self._store_at - time.monotonic())
        done, _ = await asyncio.wait(
            self._tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            step = self._tasks.pop(task)
            try:
                result = task.result()
            except Exception as error:  # noqa: BLE001 - whatever it is, it ends this step
                await self._fail(step, error)
                continue
            if not self._ready:
                self._store_at = time.monotonic() + STORE_AFTER_SECONDS
            self._ready.append((step, result))

    def _is_time_to_store(self) -> bool:
        return time.monotonic() >= self._store_at

    async def _store(self) -> None:
        """Store what is ready in one transaction; if that fails for the data of one, each
        by itself.
        """
        ready, self._ready = self._ready, []
        try:
            await sync_to_async(_store)(ready)
        except CONNECTION_ERRORS:
            raise
        except DatabaseError as error:
            log.warning(
                "profiles are stored one by one", extra={"cause": type(error).__name__}
            )
            for profiled in ready:
                await self._store_alone(profiled)
            return
        for step, _ in ready:
            self._group.end(step)

    async def _store_alone(self, profiled: Profiled) -> None:
        step, _ = profiled
        try:
            await sync_to_async(_store)([profiled])
        except CONNECTION_ERRORS:
            raise
        except DatabaseError as error:
            await self._fail(step, error)
            return
        self._group.end(step)

    async def _fail(self, step: StepContext, error: Exception) -> None:
        await fail_attempt(step, error)
        self._group.end(step)


def _store(profiled: Sequence[Profiled]) -> None:
    """Store profiles with the completion of their steps. Raises ClaimLost."""
    done = [step.completed(profile_counts(result)) for step, result in profiled]
    with completions(done) as held:
        save_profiles([result for step, result in profiled if step.claim.id in held])
