"""The tables. Three of them keep the names, columns and types of the system WallTrack grew out of."""

from discovery.models.config import DiscoveryConfig
from discovery.models.operations import DiscoveryApiKey, DiscoveryHeartbeat, DiscoveryProvider, DiscoveryPumps
from discovery.models.runs import DiscoveryRun, DiscoveryRunStep, DiscoveryRunToken, DiscoveryRunWallet
from discovery.models.trades import DiscoveryCycle, DiscoveryPosition, DiscoveryTrade, DiscoveryTransaction
from discovery.models.wallets import DiscoveryWallet

__all__ = [
    "DiscoveryApiKey",
    "DiscoveryConfig",
    "DiscoveryCycle",
    "DiscoveryHeartbeat",
    "DiscoveryPosition",
    "DiscoveryProvider",
    "DiscoveryPumps",
    "DiscoveryRun",
    "DiscoveryRunStep",
    "DiscoveryRunToken",
    "DiscoveryRunWallet",
    "DiscoveryTrade",
    "DiscoveryTransaction",
    "DiscoveryWallet",
]
