"""Profile and score one wallet because somebody asked for it, outside of a run."""

import logging
import time
from typing import Final

from asgiref.sync import sync_to_async
from django.db import transaction

from discovery.clients.connections import redis_available
from discovery.clients.provider_clients import open_providers
from discovery.domain.run_errors import WarningSink
from discovery.models import Wallet
from discovery.pipeline import scoring
from discovery.pipeline.profile_wallet import WalletResult, profile_wallet
from discovery.pipeline.save_profile import save_profile
from discovery.pipeline.wallet_context import load_wallet_context
from discovery.providers.errors import ProviderError

log = logging.getLogger(__name__)

MAX_ERROR_LENGTH: Final = 500


async def profile_on_demand(address: str) -> None:
    """Profile and score a wallet. An error is stored on the wallet. Wallets not on the
    watchlist are ignored.
    """
    if not await Wallet.objects.filter(pk=address).aexists():
        return
    warnings = WarningSink(f"wallet {address}")
    try:
        result = await _profile(address, warnings)
        await sync_to_async(_save)(result, warnings)
    except ProviderError as error:
        log.warning(
            "wallet not profiled", extra={"wallet": address, "cause": str(error)}
        )
        await _save_error(address, str(error))
    except Exception as error:
        # The person who asked learns of any failure, and may ask again.
        log.exception("wallet not profiled", extra={"wallet": address})
        await _save_error(address, f"{type(error).__name__}: the log has the details")


async def _profile(address: str, warnings: WarningSink) -> WalletResult:
    context = await sync_to_async(load_wallet_context)(address)
    async with open_providers(shared=await redis_available()) as providers:
        return await profile_wallet(
            address, context, providers, now=int(time.time()), warnings=warnings
        )


def _save(result: WalletResult, warnings: WarningSink) -> None:
    with transaction.atomic():
        save_profile(result)
        if warnings.messages:
            error = "; ".join(warnings.messages)[:MAX_ERROR_LENGTH]
            Wallet.objects.filter(pk=result.address).update(profile_error=error)
    scoring.rescore([result.address])


async def _save_error(address: str, cause: str) -> None:
    wallets = Wallet.objects.filter(pk=address)
    await wallets.aupdate(
        profile_error=cause[:MAX_ERROR_LENGTH], profile_requested_at=None
    )
