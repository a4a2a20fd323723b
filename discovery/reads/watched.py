"""Whether a wallet is on the watchlist."""

from discovery.models import Wallet


def require_wallet(address: str) -> None:
    """Raise Wallet.DoesNotExist unless the wallet is on the watchlist. One query."""
    Wallet.objects.listed().only("pk").get(pk=address)
