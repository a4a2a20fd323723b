"""A profile asked for by somebody, outside of a run."""

import logging
import time

from asgiref.sync import sync_to_async
from django.db import transaction

from discovery.clients.provider_clients import open_providers
from discovery.jobs.step_runner import redis_available
from discovery.models import Wallet
from discovery.pipeline import save_profile, scoring
from discovery.pipeline.profile_wallet import WalletResult, profile_wallet
from discovery.providers.errors import ProviderError

log = logging.getLogger(__name__)


async def profile(address: str) -> None:
    """Profile and score a wallet of the watchlist; what stands in the way is kept with it. Others are passed over."""
    if not await Wallet.objects.filter(pk=address).aexists():
        return
    problems: list[str] = []
    known = await sync_to_async(save_profile.load_wallet_context)(address)
    try:
        async with open_providers(shared=await redis_available()) as providers:
            result = await profile_wallet(
                address,
                known,
                providers,
                now=int(time.time()),
                problem=lambda what, cause: problems.append(f"{what}: {cause}"),
            )
        await sync_to_async(_store)(result, problems)
    except ProviderError as error:
        log.warning("wallet not profiled", extra={"wallet": address, "cause": str(error)})
        await _failed(address, str(error))
    except Exception as error:
        # Whatever it was: who asked is told, and may ask again.
        log.exception("wallet not profiled", extra={"wallet": address})
        await _failed(address, f"{type(error).__name__}: the log has the details")


async def _failed(address: str, cause: str) -> None:
    await Wallet.objects.filter(pk=address).aupdate(profile_error=cause[:500], profile_requested_at=None)


def _store(result: WalletResult, problems: list[str]) -> None:
    with transaction.atomic():
        save_profile.store_profile(result)
        if problems:
            Wallet.objects.filter(pk=result.address).update(profile_error="; ".join(problems)[:500])
    scoring.rescore([result.address])
