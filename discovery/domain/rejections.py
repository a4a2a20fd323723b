"""Reasons for which an early buyer does not qualify, in words."""

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from discovery.domain.display import duration_text, sol_text
from discovery.domain.flags import flag_label
from discovery.domain.reasons import unknown_reason_label
from discovery.domain.run_params import Params, plain_number


class Rejection(StrEnum):
    """Reasons beside the flags, whose reasons are `flag_<name>`."""

    WINDOW = "window"  # under other parameters only: a run reads no later buyers
    MAX_BUYERS = "max_early_buyers"  # so, too
    RESULT_UNKNOWN = "result_unknown"
    MIN_COST = "min_cost"
    PROFIT = "profit"


_FLAG_PREFIX: Final = "flag_"
_LABELS: Final[dict[str, str]] = {
    "": "qualified",
    Rejection.WINDOW: "bought after the early window",
    Rejection.MAX_BUYERS: "bought after the maximum of early buyers",
    Rejection.RESULT_UNKNOWN: "result unknown",
    Rejection.MIN_COST: "cost below the minimum",
    Rejection.PROFIT: "profit below the minimum",
}


class BuyerFigures(msgspec.Struct, frozen=True):
    """What decides whether an early buyer qualifies, as it is stored: profit with two
    digits, cost in whole lamports.

    profit_pct: None if the result is not known, with its reason. rejection: what the
    run that saw the buyer decided, "" = qualified. entry_rank: 1 = first buyer of the
    token.
    """

    entry_seconds: int | None
    profit_pct: Decimal | None
    cost_lamports: int
    flags: Collection[str]
    rejection: str
    unknown_reason: str = ""
    entry_rank: int | None = None


def flag_rejection(flag: str) -> str:
    """Return the reason of a buyer with an excluded flag."""
    return f"{_FLAG_PREFIX}{flag}"


def rejection_label(reason: str) -> str:
    """Return a reason in words, "qualified" for the empty one; one of another version is
    shown as it is stored.
    """
    if reason.startswith(_FLAG_PREFIX):
        return f"flag {flag_label(reason.removeprefix(_FLAG_PREFIX))}"
    return _LABELS.get(reason, reason.replace("_", " "))


def explain_rejection(reason: str, buyer: BuyerFigures, params: Params | None) -> str:
    """Return a reason with the figure and the threshold that decided.

    params: of the run, or those that would be used; None if they are not known.
    """
    if params is None:
        return rejection_label(reason)
    match reason:
        case Rejection.PROFIT if buyer.profit_pct is not None:
            minimum = plain_number(params.min_profit_pct)
            profit = f"{buyer.profit_pct:,.2f}".replace("-", "−")
            return f"profit {profit} % is below the minimum of {minimum} %"
        case Rejection.MIN_COST:
            minimum = plain_number(params.min_cost_sol)
            cost = sol_text(buyer.cost_lamports)
            return f"cost {cost} SOL is below the minimum of {minimum} SOL"
        case Rejection.RESULT_UNKNOWN:
            cause = unknown_reason_label(buyer.unknown_reason)
            return f"result unknown: {cause}" if cause else "result unknown"
        case Rejection.WINDOW if buyer.entry_seconds is not None:
            after = duration_text(buyer.entry_seconds)
            window = params.early_window_minutes
            return f"bought {after} after the launch, later than {window} min"
        case Rejection.MAX_BUYERS if buyer.entry_rank is not None:
            maximum = params.max_early_buyers
            return f"number {buyer.entry_rank:,} of the early buyers, beyond the maximum of {maximum:,}"
    if reason.startswith(_FLAG_PREFIX):
        return f"carries the {rejection_label(reason)}, which excludes"
    return rejection_label(reason)
