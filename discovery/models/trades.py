"""Trades, and the positions and cycles computed from them."""

from django.db import models
from django.db.models import Value
from django.db.models.functions import Now

from discovery.models.enums import CycleResult, Knowledge
from discovery.models.fields import AddressField, UnitsField, json_default
from discovery.models.querysets import TradeQuerySet, TransactionQuerySet
from discovery.models.runs import Run


class Trade(models.Model):
    """One direction of one token by one wallet in one transaction. A unique constraint
    prevents duplicates.
    """

    signature = models.CharField(max_length=90)
    wallet_address = AddressField()
    mint = AddressField()
    slot = models.BigIntegerField()
    block_time = models.DateTimeField(null=True, blank=True)
    side = models.CharField(max_length=4, choices=[("buy", "buy"), ("sell", "sell")])
    token_units = UnitsField(help_text="Raw units that the wallet received or gave.")
    token_decimals = models.SmallIntegerField()
    quote_mint = AddressField()
    quote_units = UnitsField(help_text="Raw units of the quote; lamports for SOL.")
    value_lamports = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="The quote in lamports at the time of the trade; null if no price is known.",
    )
    network_fee_lamports = models.BigIntegerField(db_default=0, default=0)
    tip_lamports = models.BigIntegerField(db_default=0, default=0)
    platform_fee_lamports = models.BigIntegerField(db_default=0, default=0)
    rent_lamports = models.BigIntegerField(db_default=0, default=0)
    transfer_lamports = models.BigIntegerField(
        db_default=0,
        default=0,
        help_text="SOL that the wallet itself moved in (+) or out (-) beside the trade.",
    )
    unreconciled_lamports = models.BigIntegerField(
        db_default=0,
        default=0,
        help_text="SOL in (+) or out (-) that neither the trade nor a known cost explains.",
    )
    pool = AddressField(
        null=True,
        blank=True,
        help_text="Address of the market; null if it is not known.",
    )
    pool_quote_after = UnitsField(
        null=True,
        blank=True,
        help_text="Lamports of the market after the trade, from which its price follows; null if not known.",
    )
    pool_base_after = UnitsField(
        null=True, blank=True, help_text="Raw units of the token, likewise."
    )
    pool_quote_later = UnitsField(
        null=True,
        blank=True,
        help_text="Lamports of the market `later_seconds` after the trade; null if they were not read.",
    )
    pool_base_later = UnitsField(
        null=True, blank=True, help_text="Raw units of the token, likewise."
    )
    later_seconds = models.SmallIntegerField(null=True, blank=True)
    venues = models.JSONField(default=list, db_default=json_default([]), blank=True)

    objects = TradeQuerySet.as_manager()

    class Meta:
        db_table = "discovery_trades"
        verbose_name = "trade"
        constraints = [
            models.UniqueConstraint(
                fields=["signature", "wallet_address", "mint"],
                name="discovery_trades_once",
            )
        ]
        indexes = [
            # The trades of a wallet in a token, in chain order.
            models.Index(
                fields=["wallet_address", "mint", "slot"],
                name="discovery_trades_position",
            ),
            # The trades of a wallet, newest first.
            models.Index(
                models.F("wallet_address").asc(),
                models.F("slot").desc(),
                models.F("signature").asc(),
                models.F("mint").asc(),
                name="discovery_trades_wallet",
            ),
            # Retention: old trades of wallets that are not on the watchlist.
            models.Index(fields=["block_time"], name="discovery_trades_age"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.mint} {self.signature}"


class Position(models.Model):
    """Result of one wallet's first holding of one token, by weighted average cost
    (docs/profit.md).
    """

    wallet_address = AddressField()
    mint = AddressField()
    run = models.ForeignKey(
        Run, null=True, on_delete=models.SET_NULL, related_name="positions"
    )
    first_buy_at = models.DateTimeField(null=True, blank=True)
    last_trade_at = models.DateTimeField(null=True, blank=True)
    entry_rank = models.IntegerField(
        null=True, blank=True, help_text="1 = first buyer of the token."
    )
    entry_seconds = models.IntegerField(
        null=True, blank=True, help_text="Seconds from launch to the first buy."
    )
    buys = models.IntegerField(default=0, db_default=0)
    sells = models.IntegerField(default=0, db_default=0)
    cost_lamports = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Everything put into the first holding, with fees.",
    )
    realised_lamports = models.BigIntegerField(
        null=True, blank=True, help_text="Null if the result is unknown."
    )
    unmatched_lamports = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Proceeds of units whose cost is not known; not part of the profit.",
    )
    profit_pct = models.DecimalField(
        max_digits=20,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Null if the result is unknown.",
    )
    knowledge = models.CharField(
        max_length=7,
        choices=Knowledge.choices,
        default=Knowledge.KNOWN,
        db_default=Knowledge.KNOWN,
    )
    unknown_reason = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Why the result is unknown; empty unless it is.",
    )
    known_share = models.DecimalField(
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Share of the units with a known cost that did not leave at an unknown price.",
    )
    has_moved_out = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Units were sent to another wallet.",
    )
    later_cycles = models.IntegerField(
        default=0, db_default=0, help_text="Holdings of the token after the first."
    )
    held_units = models.DecimalField(
        max_digits=30, decimal_places=0, default=0, db_default=Value(0)
    )
    history_incomplete = models.BooleanField(default=False, db_default=False)
    rejection = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Reason for not qualifying; empty = qualified.",
    )
    flags = models.JSONField(default=list, db_default=json_default([]), blank=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "discovery_positions"
        verbose_name = "position"
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_address", "mint"], name="discovery_positions_once"
            )
        ]
        indexes = [
            # The early buyers of a token, best profit first.
            models.Index(
                fields=["mint", "-profit_pct"], name="discovery_positions_mint"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_address} in {self.mint}"


class Cycle(models.Model):
    """One holding of a token, until the wallet is flat again: the unit of profiles and
    scores (docs/scores.md).
    """

    wallet_address = AddressField()
    mint = AddressField()
    number = models.IntegerField(
        help_text="1 = the wallet's first cycle in this token within the days of the profile."
    )
    result = models.CharField(max_length=7, choices=CycleResult.choices)
    close_reason = models.CharField(
        max_length=20,
        db_column="why",
        help_text="closed, dead bag, left wallet or open.",
    )
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="Time at which the wallet became flat."
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    last_trade_at = models.DateTimeField()
    put_in_lamports = models.BigIntegerField()
    matched_lamports = models.BigIntegerField(
        help_text="Proceeds of units with a known cost, net of fees."
    )
    net_lamports = models.BigIntegerField(
        null=True, blank=True, help_text="Null if the result is unknown."
    )
    fees_lamports = models.BigIntegerField()
    unmatched_lamports = models.BigIntegerField()
    sold_lamports = models.BigIntegerField()
    covered_lamports = models.BigIntegerField()
    basis_left_lamports = models.BigIntegerField()
    liquidation_value_lamports = models.BigIntegerField(
        null=True,
        blank=True,
        db_column="exit_lamports",
        help_text="Proceeds of selling the held units now; null = unknown.",
    )
    held_units = models.DecimalField(max_digits=30, decimal_places=0)
    buys = models.IntegerField()
    sells = models.IntegerField()
    hold_seconds = models.IntegerField(null=True, blank=True)
    history_incomplete = models.BooleanField()
    reconciled = models.BooleanField(
        help_text="The balance on the chain matches the history."
    )
    exclusion_reason = models.CharField(
        max_length=20,
        blank=True,
        db_column="left_out",
        help_text="Reason for which statistics exclude it; empty = counted.",
    )
    first_signature = models.CharField(max_length=90)
    knowledge = models.CharField(
        max_length=7,
        choices=Knowledge.choices,
        default=Knowledge.KNOWN,
        db_default=Knowledge.KNOWN,
    )
    unknown_reason = models.CharField(
        max_length=40, blank=True, default="", db_default=""
    )
    known_share = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True
    )

    class Meta:
        db_table = "discovery_cycles"
        verbose_name = "cycle"
        constraints = [
            models.UniqueConstraint(
                fields=["wallet_address", "mint", "number"],
                name="discovery_cycles_once",
            )
        ]
        indexes = [
            # The cycles of a wallet, newest first.
            models.Index(
                models.F("wallet_address").asc(),
                models.F("opened_at").desc(),
                models.F("mint").asc(),
                name="discovery_cycles_wallet",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_address} in {self.mint}, {self.number}: {self.result}"


class Transaction(models.Model):
    """A cached transaction as the provider returned it, so that a retry does not
    request it again.
    """

    signature = models.CharField(max_length=90, primary_key=True)
    body = models.BinaryField()
    fetched_at = models.DateTimeField(db_default=Now())

    objects = TransactionQuerySet.as_manager()

    class Meta:
        db_table = "discovery_transactions"
        verbose_name = "cached transaction"
        indexes = [
            # Retention: transactions that have expired.
            models.Index(fields=["fetched_at"], name="discovery_transactions_age"),
        ]

    def __str__(self) -> str:
        return str(self.signature)
