"""Names of the flags that a wallet may carry. What raises each: docs/scores.md and
discovery/analysis/flags.py.
"""

from typing import Final

FLAG_LABELS: Final[dict[str, str]] = {
    "plumbing": "infrastructure",
    "creator": "creator",
    "bundle": "bundle",
    "arbitrage": "arbitrage",
    "wash": "wash",
    "sniper": "sniper",
    "sandwich": "sandwich",
    "sub_minute": "sub minute",
    "hyperactive": "hyperactive",
    "funded_by_creator": "funded by creator",
    "oversold": "oversold",
    "dust": "dust",
}
"""Stored name → label, the hard flags first."""
FLAG_NAMES: Final = tuple(FLAG_LABELS)
HARD_FLAGS: Final = frozenset({"plumbing", "creator", "bundle", "arbitrage", "wash"})
"""A wallet with one of these has no score."""
DEFAULT_EXCLUDED_FLAGS: Final = ("plumbing", "creator", "bundle", "arbitrage", "wash")
"""An early buyer with one of these does not qualify, unless the configuration says
otherwise.
"""
ENTRY_FLAGS: Final = frozenset({"plumbing", "creator", "sniper"})
"""Flags that are known when a run decides which early buyers qualify. The others follow
from a wallet's profile or from other wallets.
"""
TOKEN_FLAGS: Final = frozenset(
    {"creator", "sniper", "bundle", "funded_by_creator", "wash"}
)
"""Flags that a token gives to a wallet. The others come from the wallet's own habits:
each profile renews them.
"""


def flag_label(name: str) -> str:
    """Return the label of a flag; a name of another version is shown as it is stored."""
    return FLAG_LABELS.get(name, name.replace("_", " "))
