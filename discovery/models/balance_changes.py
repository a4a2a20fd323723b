"""Balance changes of wallets without a trade."""

from django.db import models

from discovery.models.fields import AddressField
from discovery.models.querysets import BalanceChangeQuerySet


class BalanceChange(models.Model):
    """Units of a token that a wallet got or lost without a trade, in one transaction:
    what the results of its trades leave open. A unique constraint prevents duplicates.
    """

    signature = models.CharField(max_length=90)
    wallet_address = AddressField()
    mint = AddressField()
    slot = models.BigIntegerField()
    block_time = models.DateTimeField(null=True, blank=True)
    units = models.DecimalField(
        max_digits=30,
        decimal_places=0,
        help_text="Raw units that came in (+) or left (-).",
    )
    reason = models.CharField(
        max_length=20, help_text="Why they moved; docs/decoding.md has a table."
    )

    objects = BalanceChangeQuerySet.as_manager()

    class Meta:
        db_table = "discovery_balance_changes"
        verbose_name = "balance change"
        constraints = [
            models.UniqueConstraint(
                fields=["signature", "wallet_address", "mint"],
                name="discovery_balance_changes_once",
            )
        ]
        indexes = [
            # The changes of a wallet, newest first.
            models.Index(
                models.F("wallet_address").asc(),
                models.F("slot").desc(),
                models.F("signature").asc(),
                models.F("mint").asc(),
                name="discovery_changes_wallet",
            ),
            # Retention: old changes of wallets that are not on the watchlist.
            models.Index(fields=["block_time"], name="discovery_changes_age"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.mint} {self.signature}"
