"""The work of each kind of step: fetch and compute in the pipeline, then store within
the step's completion.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import sync_to_async

from discovery.clients.provider_clients import Providers
from discovery.clients.usage import UsageMeter
from discovery.domain.run_errors import WarningSink
from discovery.jobs import run_lifecycle
from discovery.jobs.step_queue import Claim, completion
from discovery.models import Run
from discovery.models.enums import StepKind
from discovery.pipeline.analyse_token import analyse_token
from discovery.pipeline.cost_estimate import limit_to_schedule
from discovery.pipeline.find_tokens import TokenSearchResult, look_up, search
from discovery.pipeline.finish import save_scores, score_run
from discovery.pipeline.profile_wallet import profile_wallet
from discovery.pipeline.save_profile import save_profile
from discovery.pipeline.save_search import load_candidate, save_search
from discovery.pipeline.save_token import save_token, token_counts
from discovery.pipeline.wallet_context import load_wallet_context


class StepContext:
    """Context of the work on one claimed step: run, claim, meter and warnings."""

    def __init__(self, run: Run, claim: Claim) -> None:
        self.run = run
        self.claim = claim
        self.params = run.params
        self.meter = UsageMeter(self.params.max_requests_per_run)
        self.warnings = WarningSink(claim.name)

    def store(
        self,
        save: Callable[..., None],
        *args: Any,
        counts: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """Call `save(*args, **kwargs)` within the completion of the step. Raises
        ClaimLost.
        """
        with completion(
            self.claim,
            counts=counts,
            usage=self.meter.usage(),
            errors=self.warnings.entries,
        ):
            save(*args, **kwargs)


Work = Callable[[StepContext, Providers], Awaitable[None]]


async def find_tokens(step: StepContext, providers: Providers) -> None:
    """Search tokens that pumped, or look up those the run was given. Raises
    NothingAnswered, BudgetExhausted.
    """
    mints = list(step.run.given_mints)
    if mints:
        result = await look_up(providers, mints, step.warnings)
    else:
        found = await search(providers, step.params, int(time.time()), step.warnings)
        result = await sync_to_async(limit_to_schedule)(
            found, providers.source, step.warnings
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
            step.run.pk,
            result,
            source=providers.source,
            source_note=providers.helius_note,
        )
        run_lifecycle.begin_analysis(
            step.run.pk, [token.mint for token in result.tokens]
        )


async def analyse(step: StepContext, providers: Providers) -> None:
    """Find the early buyers of one token and what they took out. Raises ProviderError,
    BudgetExhausted.
    """
    candidate = await sync_to_async(load_candidate)(step.run.pk, step.claim.key)
    result = await analyse_token(
        candidate,
        step.params,
        providers.transaction_source(step.warnings),
        providers.prices,
        now=int(time.time()),
        warnings=step.warnings,
    )
    await sync_to_async(step.store)(
        save_token, step.run.pk, result, counts=token_counts(result)
    )


async def profile(step: StepContext, providers: Providers) -> None:
    """Profile one wallet. Raises ProviderError, BudgetExhausted."""
    address = step.claim.key
    context = await sync_to_async(load_wallet_context)(address)
    result = await profile_wallet(
        address, context, providers, now=int(time.time()), warnings=step.warnings
    )
    counts = {
        "transactions": len(result.reading.history.times),
        "cycles": len(result.cycles),
    }
    await sync_to_async(step.store)(save_profile, result, counts=counts)


def score_and_close(step: StepContext) -> None:
    """Flag and score the wallets of the run, then close it. Needs no provider."""
    scores = score_run(step.run)
    with completion(step.claim, counts={}, usage={}, changes_run=True):
        save_scores(step.run, scores)
        run_lifecycle.close_after_last_step(step.run.pk)


WORK_OF_KIND: Final[dict[str, Work]] = {
    StepKind.FIND: find_tokens,
    StepKind.TOKEN: analyse,
    StepKind.WALLET: profile,
}
"""Steps that ask providers. The last step of a run, FINISH, only reads what is stored.
"""
