"""Form values to send, and the text of a response."""

import re
from typing import Any

from discovery.models import Config

PARAMS = {
    "min_price_change_pct": "100", "min_volume_usd": "50000", "min_liquidity_usd": "10000", "max_token_age_hours": "72",
    "max_tokens": "20", "early_window_minutes": "30", "max_early_buyers": "150",
    "min_profit_pct": "50", "min_cost_sol": "0.05",
    "max_requests_per_run": "", "profile_immediately": "on", "control_wallets": "25",
    "excluded_flags": ["plumbing", "creator", "bundle", "arbitrage", "wash"],
}  # fmt: skip


def params(**changes: Any) -> dict[str, Any]:
    """Return the values of the form of parameters, with some of them changed."""
    version = Config.objects.get().version
    return {"params_version": version, "schedule_version": version, **PARAMS, **changes}


def text(answer: Any) -> str:
    """Return a page or a fragment without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))
