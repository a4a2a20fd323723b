"""Plain admin pages over the tables: facts are read, configuration and a wallet's label, note and status are edited."""

from discovery.admin.api_keys import ApiKeyAdmin
from discovery.admin.config import ConfigAdmin
from discovery.admin.facts import PositionAdmin, TradeAdmin
from discovery.admin.runs import RunAdmin, RunTokenAdmin, RunWalletAdmin
from discovery.admin.wallets import WalletAdmin

__all__ = [
    "ApiKeyAdmin",
    "ConfigAdmin",
    "PositionAdmin",
    "RunAdmin",
    "RunTokenAdmin",
    "RunWalletAdmin",
    "TradeAdmin",
    "WalletAdmin",
]
