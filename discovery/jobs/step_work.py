"""The work of each kind of step: fetch and compute in the pipeline, then store within
the step's completion.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from asgiref.sync import sync_to_async

from discovery.clients.provider_check import check_providers
from discovery.clients.provider_clients import Providers
from discovery.jobs import run_lifecycle
from discovery.jobs.step_context import StepContext
from discovery.jobs.step_queue import completion
from discovery.jobs.upkeep_work import refresh
from discovery.models import Wallet
from discovery.models.enums import StepKind
from discovery.pipeline.analyse_token import analyse_token
from discovery.pipeline.cost_estimate import limit_to_schedule
from discovery.pipeline.find_tokens import (
    NothingAnswered,
    TokenSearchResult,
    look_up,
    search,
)
from discovery.pipeline.finish import save_scores, score_run
from discovery.pipeline.profile_on_demand import save_profile_on_demand
from discovery.pipeline.profile_wallet import WalletResult, profile_wallet
from discovery.pipeline.refresh_pumps import save_pumps
from discovery.pipeline.save_search import load_candidate, save_search
from discovery.pipeline.save_token import save_token, token_counts
from discovery.pipeline.wallet_context import load_wallet_context
from discovery.providers import solana_rpc
from walltrack import clock


class UnknownKind(Exception):
    """No work is registered for the kind of a step. `kind` is its name."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"this version of the program has no work for steps of the kind {kind!r}"
        )
        self.kind = kind


Work = Callable[[StepContext, Providers], Awaitable[None]]


async def find_tokens(step: StepContext, providers: Providers) -> None:
    """Search tokens that pumped, or look up those the run was given. Raises
    NothingAnswered, BudgetExhausted.
    """
    mints = list(step.owning_run.given_mints)
    if mints:
        result = await look_up(providers, mints, step.warnings)
    else:
        found = await search(
            providers, step.params, int(clock.unix_now()), step.warnings
        )
        result = await sync_to_async(limit_to_schedule)(
            found, step.owning_run, providers.source, step.warnings
        )
    await sync_to_async(_store_search)(step, providers, result)


def _store_search(
    step: StepContext, providers: Providers, result: TokenSearchResult
) -> None:
    with completion(
        step.claim,
        counts={"tokens": len(result.tokens)},
        usage=step.meter.usage(),
        errors=step.warnings.entries,
        changes_run=True,
    ):
        save_search(
            step.owning_run.pk,
            result,
            source=providers.source,
            source_note=providers.helius_note,
        )
        run_lifecycle.begin_analysis(
            step.owning_run.pk, [token.mint for token in result.tokens]
        )


async def analyse(step: StepContext, providers: Providers) -> None:
    """Find the early buyers of one token and what they took out. Raises ProviderError,
    BudgetExhausted.
    """
    candidate = await sync_to_async(load_candidate)(step.owning_run.pk, step.claim.key)
    result = await analyse_token(
        candidate,
        step.params,
        providers.transaction_source(step.warnings),
        providers.prices,
        now=int(clock.unix_now()),
        warnings=step.warnings,
    )
    await sync_to_async(step.store)(
        save_token, step.owning_run.pk, result, counts=token_counts(result)
    )


async def profile_on_demand(step: StepContext, providers: Providers) -> None:
    """Profile and judge the wallet that somebody asked for. One that is in no table any
    more is ignored. Raises ProviderError.
    """
    if not await Wallet.objects.filter(pk=step.claim.key).aexists():
        await sync_to_async(step.store)(_save_nothing, counts={})
        return
    address = step.claim.key
    context = await sync_to_async(load_wallet_context)(address)
    result = await profile_wallet(
        address, context, providers, now=int(clock.unix_now()), warnings=step.warnings
    )
    await sync_to_async(step.store)(
        save_profile_on_demand,
        result,
        step.warnings.messages,
        counts=profile_counts(result),
    )


def profile_counts(result: WalletResult) -> dict[str, int]:
    """Return the numbers of transactions and cycles of a profile."""
    history = result.reading.history
    return {"transactions": len(history.times), "cycles": len(result.cycles)}


def _save_nothing() -> None:
    """Store nothing but the completion."""


async def pumps(step: StepContext, providers: Providers) -> None:
    """Search the tokens that pass the filters now. If no source answers, the cause is
    stored with the last list.
    """
    result: TokenSearchResult | None = None
    try:
        result = await search(
            providers, step.params, int(clock.unix_now()), step.warnings
        )
    except NothingAnswered as error:
        step.warnings.add(str(error))
    counts = {} if result is None else {"tokens": len(result.tokens)}
    await sync_to_async(step.store)(
        save_pumps, result, step.warnings.messages, counts=counts
    )


async def check(step: StepContext, _providers: Providers) -> None:
    """Ask every provider, and store what it answers with the step."""
    report = await check_providers()
    await sync_to_async(step.store)(_save_nothing, counts=msgspec.to_builtins(report))


def score_and_close(step: StepContext) -> None:
    """Flag and score the wallets of the run, then close it. Needs no provider."""
    scores = score_run(step.owning_run)
    with completion(step.claim, counts={}, usage={}, changes_run=True):
        save_scores(step.owning_run, scores)
        run_lifecycle.close_after_last_step(step.owning_run.pk)


WORK_OF_KIND: Final[dict[str, Work]] = {
    StepKind.FIND: find_tokens,
    StepKind.TOKEN: analyse,
    StepKind.PROFILE: profile_on_demand,
    StepKind.PUMPS: pumps,
    StepKind.REFRESH: refresh,
    StepKind.OUTCOMES: refresh,
    StepKind.CHECK: check,
}
"""Steps that ask providers, one by one. Wallets of a run are profiled together
(`wallet_steps`); the last step of a run, FINISH, only reads what is stored.
"""
SOURCE_OF_KIND: Final[dict[str, str]] = {
    StepKind.PUMPS: solana_rpc.NAME,
    StepKind.CHECK: solana_rpc.NAME,
}
"""The source of transactions of a lone step that needs no other. Default: Helius is
probed.
"""
