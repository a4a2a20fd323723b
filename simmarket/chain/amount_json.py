"""Token amounts as the RPC writes them."""

from decimal import Decimal
from typing import Any


def ui_amount(units: int, decimals: int) -> dict[str, Any]:
    """uiTokenAmount: raw amount as a string, decimals, and two display forms (null for an empty float)."""
    shown = Decimal(units).scaleb(-decimals)
    text = format(shown, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return {
        "amount": str(units),
        "decimals": decimals,
        "uiAmount": float(shown) if units else None,  # the wire's own lossy number
        "uiAmountString": text,
    }
