"""The tables. Three of them keep the names, columns and types of the system WallTrack grew out of."""

from discovery.models.config import DiscoveryConfig
from discovery.models.runs import DiscoveryRun, DiscoveryRunStep, DiscoveryRunToken, DiscoveryRunWallet
from discovery.models.trades import DiscoveryPosition, DiscoveryTrade
from discovery.models.wallets import DiscoveryWallet

__all__ = [
    "DiscoveryConfig",
    "DiscoveryPosition",
    "DiscoveryRun",
    "DiscoveryRunStep",
    "DiscoveryRunToken",
    "DiscoveryRunWallet",
    "DiscoveryTrade",
    "DiscoveryWallet",
]
