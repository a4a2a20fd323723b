"""Save the profile of a wallet that somebody asked for, outside of a run, with its
judgement.
"""

from collections.abc import Sequence
from typing import Final

from discovery.models import Wallet
from discovery.pipeline import scoring
from discovery.pipeline.profile_wallet import WalletResult
from discovery.pipeline.save_profile import save_profiles

MAX_ERROR_LENGTH: Final = 500


def save_profile_on_demand(result: WalletResult, messages: Sequence[str]) -> None:
    """Save the profile and judge the wallet by the prior of the last run. Called inside a
    transaction.

    messages: what the profile lacks; stored on the wallet.
    """
    save_profiles([result])
    if messages:
        error = "; ".join(messages)[:MAX_ERROR_LENGTH]
        Wallet.objects.filter(pk=result.address).update(profile_error=error)
    scoring.rescore([result.address])


def save_profile_error(address: str, cause: str) -> None:
    """Store on the wallet why it was not profiled. It is not waited for any more."""
    Wallet.objects.filter(pk=address).update(
        profile_error=cause[:MAX_ERROR_LENGTH], profile_requested_at=None
    )
