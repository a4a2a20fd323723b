"""Django models. Three tables keep the names, columns and types of the earlier
WallTrack.
"""

from discovery.models.balance_changes import BalanceChange
from discovery.models.config import Config
from discovery.models.forward_record import (
    Outcome,
    OutcomeToken,
    RunControl,
    ScoreSnapshot,
)
from discovery.models.operations import ApiKey, Heartbeat, Provider, Pumps
from discovery.models.runs import Run, RunStep, RunToken, RunWallet
from discovery.models.token_results import TokenResult
from discovery.models.trades import Cycle, Position, Trade, Transaction
from discovery.models.wallet_histories import WalletHistory
from discovery.models.wallets import Wallet

__all__ = [
    "ApiKey",
    "BalanceChange",
    "Config",
    "Cycle",
    "Heartbeat",
    "Outcome",
    "OutcomeToken",
    "Position",
    "Provider",
    "Pumps",
    "Run",
    "RunControl",
    "RunStep",
    "RunToken",
    "RunWallet",
    "ScoreSnapshot",
    "TokenResult",
    "Trade",
    "Transaction",
    "Wallet",
    "WalletHistory",
]
