"""Admin pages over the tables: facts are read; what people may change is changed on the pages in `pages/`."""

from discovery.admin.api_keys import ApiKeyAdmin
from discovery.admin.beat import IntervalTaskAdmin
from discovery.admin.config import ConfigAdmin
from discovery.admin.facts import PositionAdmin, TradeAdmin
from discovery.admin.people import GroupAdmin, UserAdmin
from discovery.admin.runs import RunAdmin, RunTokenAdmin, RunWalletAdmin

__all__ = [
    "ApiKeyAdmin",
    "ConfigAdmin",
    "GroupAdmin",
    "IntervalTaskAdmin",
    "PositionAdmin",
    "RunAdmin",
    "RunTokenAdmin",
    "RunWalletAdmin",
    "TradeAdmin",
    "UserAdmin",
]
