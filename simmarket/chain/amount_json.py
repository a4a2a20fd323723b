"""Token amounts as the RPC writes them."""

from decimal import Decimal
from typing import Any


def ui_amount(units: int, decimals: int) -> dict[str, Any]:
    """Return a uiTokenAmount: raw amount as a string, decimals, and two display forms
    (null for an empty float).
    """
    amount = Decimal(units).scaleb(-decimals)
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return {
        "amount": str(units),
        "decimals": decimals,
        "uiAmount": float(amount) if units else None,  # lossy on real nodes, too
        "uiAmountString": text,
    }
