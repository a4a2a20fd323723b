"""What was read of wallets, so that a refresh reads only what is newer."""

from django.db import models

from discovery.models.fields import AddressField


class WalletHistory(models.Model):
    """The decoded history of one wallet, as its last profile read it. Replaced by each
    profile, deleted with the wallet.
    """

    wallet_address = AddressField(primary_key=True)
    version = models.IntegerField(
        help_text="Version of the stored form; another one is read from the chain again."
    )
    begins_at = models.DateTimeField(help_text="Transactions are known from then on.")
    is_cut = models.BooleanField(
        help_text="Older transactions within the days of a profile were left out: there are too many."
    )
    transactions = models.IntegerField()
    body = models.BinaryField()

    class Meta:
        db_table = "discovery_wallet_histories"
        verbose_name = "history of a wallet"
        verbose_name_plural = "histories of wallets"

    def __str__(self) -> str:
        return str(self.wallet_address)
