"""Save flags of wallets, each with its evidence."""

from collections.abc import Mapping

from discovery.models import Wallet
from discovery.pipeline.save_trades import BATCH


def add_wallet_flags(flags_by_wallet: Mapping[str, Mapping[str, str]]) -> None:
    """Add flags (name → evidence) to wallets of the watchlist; other wallets are
    ignored.

    Called inside a transaction.
    """
    addresses = list(flags_by_wallet)
    wallets = list(
        Wallet.objects.select_for_update()
        .filter(address__in=addresses)
        .order_by("address")
    )
    for wallet in wallets:
        wallet.flags = {**wallet.flags, **flags_by_wallet[wallet.address]}
    Wallet.objects.bulk_update(wallets, ["flags"], batch_size=BATCH)
