"""The watchlist."""

from django.db import models
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from discovery.models.choices import WalletStatus
from discovery.models.fields import AddressField
from discovery.models.runs import DiscoveryRun


class DiscoveryWallet(models.Model):
    """A wallet worth watching, with what is known of it. Never deleted by retention."""

    address = AddressField(primary_key=True)
    status = models.CharField(
        max_length=20,
        choices=WalletStatus.choices,
        default=WalletStatus.INSUFFICIENT_DATA,
        db_default=WalletStatus.INSUFFICIENT_DATA,
    )
    score = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True, help_text="0–1, shown as 0–100.")
    first_discovered_at = models.DateTimeField(db_default=Now())
    last_discovered_at = models.DateTimeField(db_default=Now())
    discovery_count = models.IntegerField(default=0, db_default=0, help_text="How many runs found it.")
    first_run = models.ForeignKey(
        DiscoveryRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="first_found", editable=False
    )
    label = models.CharField(max_length=100, blank=True, default="", db_default="")
    note = models.TextField(blank=True, default="", db_default="")

    history = HistoricalRecords(table_name="discovery_wallets_history")

    class Meta:
        db_table = "discovery_wallets"
        verbose_name = "wallet"
        ordering = ["-last_discovered_at", "address"]
        indexes = [
            # The watchlist, last found first.
            models.Index(
                models.F("last_discovered_at").desc(),
                models.F("address").asc(),
                name="discovery_wallets_last",
            ),
        ]

    def __str__(self) -> str:
        return str(self.address)
