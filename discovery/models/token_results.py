"""Results of the wallets on the watchlist by token: the evidence of their scores."""

from django.db import models

from discovery.models.enums import TokenExclusion, TokenUnknown, ValueSource
from discovery.models.fields import AddressField


class TokenResult(models.Model):
    """All that a wallet did in one token, as its last profile saw it (docs/scores.md).

    The rows of a wallet are replaced by each profile. Returns are ratios: 0.5 = +50 %.
    """

    wallet_address = AddressField()
    mint = AddressField()
    as_of = models.DateTimeField(help_text="Time of the profile.")
    entry_at = models.DateTimeField(help_text="First purchase.")
    put_in_lamports = models.BigIntegerField(help_text="Purchases with their fees.")
    proceeds_lamports = models.BigIntegerField(
        help_text="Sales of bought units, net of fees."
    )
    bag_lamports = models.BigIntegerField(
        help_text="What the units still held would bring."
    )
    bag_source = models.CharField(
        max_length=12,
        choices=ValueSource.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Where that value comes from; empty without a value.",
    )
    leader_return = models.FloatField(
        null=True, blank=True, help_text="Null if the result is not known."
    )
    follower_return_costs = models.FloatField(
        null=True,
        blank=True,
        help_text="The wallet's own result less a follower's costs.",
    )
    follower_return_behind = models.FloatField(
        null=True, blank=True, help_text="At the prices right behind the wallet."
    )
    follower_return_late = models.FloatField(
        null=True, blank=True, help_text="At the prices some seconds later."
    )
    unknown_reason = models.CharField(
        max_length=16,
        choices=TokenUnknown.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Why the result is not known; empty if it is.",
    )
    exclusion = models.CharField(
        max_length=8,
        choices=TokenExclusion.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Why the token is no evidence; empty if it is. Seed tokens are judged when scores are.",
    )

    class Meta:
        db_table = "discovery_token_results"
        verbose_name = "token result"
        constraints = [
            # The tokens of a wallet.
            models.UniqueConstraint(
                fields=["wallet_address", "mint"],
                name="discovery_token_results_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.wallet_address} in {self.mint}"
