"""What a refresh starts from and what it saves: profiles, outcomes and judgements, in one
transaction.
"""

from collections import ChainMap
from collections.abc import Collection
from datetime import datetime
from typing import Final

from discovery.domain.times import datetime_from_unix
from discovery.models import Wallet
from discovery.pipeline.late_reserves import save_late_reserves
from discovery.pipeline.refresh_wallets import Refresh, WalletToRefresh
from discovery.pipeline.save_outcomes import due_outcomes, save_outcomes
from discovery.pipeline.save_profile import save_profiles
from discovery.pipeline.scoring import judge_wallets, latest_prior, save_judgements
from discovery.pipeline.wallet_context import load_wallet_contexts

MAX_ERROR_LENGTH: Final = 500


def load_wallets_to_refresh(
    addresses: Collection[str], now: datetime
) -> dict[str, WalletToRefresh]:
    """Return what is stored about these wallets, and their outcomes that are due. Wallets
    that are not stored any more are left out. Nine queries.
    """
    stored = Wallet.objects.filter(address__in=addresses)
    known = sorted(stored.values_list("address", flat=True))
    contexts = load_wallet_contexts(known)
    due = due_outcomes(known, now)
    return {
        address: WalletToRefresh(contexts[address], due.get(address, ()))
        for address in known
    }


def save_refresh(refresh: Refresh, now: int) -> None:
    """Save new profiles, outcomes and the judgements that follow from them, and the
    errors of the wallets that could not be read. now: unix seconds. Called inside a
    transaction.
    """
    at = datetime_from_unix(now)
    save_profiles([wallet.result for wallet in refresh.refreshed])
    measured = (wallet.measurement.late for wallet in refresh.refreshed)
    save_late_reserves(ChainMap(*map(dict, measured)))
    save_outcomes(
        [
            outcome
            for wallet in refresh.refreshed
            for outcome in wallet.measurement.outcomes
        ],
        at,
    )
    save_refresh_errors(refresh.failed, at)
    addresses = [wallet.result.address for wallet in refresh.refreshed]
    prior, run = latest_prior()
    judged = judge_wallets(Wallet.objects.filter(address__in=addresses), prior)
    save_judgements(judged, run)


def save_refresh_errors(failed: dict[str, str], at: datetime) -> None:
    """Store why wallets could not be read; they are tried again after a pause."""
    wallets = list(Wallet.objects.filter(address__in=failed).only("address"))
    for wallet in wallets:
        wallet.profile_error = failed[wallet.address][:MAX_ERROR_LENGTH]
        wallet.refreshed_at = at
    Wallet.objects.bulk_update(wallets, ["profile_error", "refreshed_at"])
