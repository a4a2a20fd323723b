"""Admin pages of the tables. Most are read-only; operators make changes on the pages in
`pages/`.
"""

from discovery.admin.api_key_admin import ApiKeyAdmin
from discovery.admin.beat_admin import IntervalTaskAdmin
from discovery.admin.config_admin import ConfigAdmin
from discovery.admin.evidence_admin import PositionAdmin, TradeAdmin
from discovery.admin.run_admin import RunAdmin, RunTokenAdmin, RunWalletAdmin
from discovery.admin.user_admin import GroupAdmin, UserAdmin

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
