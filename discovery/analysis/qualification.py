"""Whether an early buyer qualifies: by its exact figures within a run, and by its stored
figures under other parameters.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from discovery.domain.rejections import BuyerFigures, Rejection, flag_rejection
from discovery.domain.run_params import Params
from discovery.domain.units import LAMPORTS_PER_SOL

_SECONDS_PER_MINUTE: Final = 60


def buyer_rejection(
    profit_pct: Fraction | None,
    cost_lamports: Fraction,
    flags: Iterable[str],
    params: Params,
) -> str:
    """Return the reason why a buyer does not qualify, "" if it does: `flag_<name>`,
    `result_unknown`, `min_cost` or `profit`, the first that applies.

    profit_pct: None = not known. All figures are exact.
    """
    excluded = _excluded_flag(flags, params)
    if excluded:
        return excluded
    if profit_pct is None:
        return Rejection.RESULT_UNKNOWN.value
    if cost_lamports < min_cost_lamports(params):
        return Rejection.MIN_COST.value
    if profit_pct < Fraction(params.min_profit_pct):
        return Rejection.PROFIT.value
    return ""


def rejection_under(
    buyer: BuyerFigures, params: Params, then: Params | None
) -> str | None:
    """Return the reason under other parameters, "" if the buyer would qualify, None if
    that is not known.

    then: the parameters of the run that decided `buyer.rejection`; None = not known.
    Stored figures are rounded. Where the run's own decision answers for the new
    threshold too, it is used: it was made on exact figures. A window that is wider than
    that of the run, or more early buyers, change nothing for a buyer that the run saw.
    """
    seconds = buyer.entry_seconds
    is_narrower = (
        then is None or params.early_window_minutes < then.early_window_minutes
    )
    if is_narrower:
        if seconds is None:
            return None
        if seconds > params.early_window_minutes * _SECONDS_PER_MINUTE:
            return Rejection.WINDOW.value
    has_fewer_buyers = then is None or params.max_early_buyers < then.max_early_buyers
    if has_fewer_buyers and buyer.entry_rank is None:
        return None
    if (buyer.entry_rank or 0) > params.max_early_buyers:
        return Rejection.MAX_BUYERS.value
    excluded = _excluded_flag(buyer.flags, params)
    if excluded:
        return excluded
    if buyer.profit_pct is None:
        return Rejection.RESULT_UNKNOWN.value
    if _is_cost_too_low(buyer, params, then):
        return Rejection.MIN_COST.value
    if _is_profit_too_low(buyer, buyer.profit_pct, params, then):
        return Rejection.PROFIT.value
    return ""


def min_cost_lamports(params: Params) -> Fraction:
    """Return the minimum cost in lamports, exact."""
    return Fraction(params.min_cost_sol) * LAMPORTS_PER_SOL


def _excluded_flag(flags: Iterable[str], params: Params) -> str:
    """Return the reason of the first flag that is excluded, "" if none is."""
    excluded = (flag for flag in flags if flag in params.excluded_flags)
    flag = next(excluded, None)
    return "" if flag is None else flag_rejection(flag)


def _is_cost_too_low(buyer: BuyerFigures, params: Params, then: Params | None) -> bool:
    if then is not None:
        was_too_low = buyer.rejection == Rejection.MIN_COST
        if was_too_low and params.min_cost_sol >= then.min_cost_sol:
            return True
        # The cost is compared before the profit.
        was_enough = buyer.rejection in {"", Rejection.PROFIT}
        if was_enough and params.min_cost_sol <= then.min_cost_sol:
            return False
    return buyer.cost_lamports < min_cost_lamports(params)


def _is_profit_too_low(
    buyer: BuyerFigures, profit_pct: Decimal, params: Params, then: Params | None
) -> bool:
    if then is not None:
        was_too_low = buyer.rejection == Rejection.PROFIT
        if was_too_low and params.min_profit_pct >= then.min_profit_pct:
            return True
        if buyer.rejection == "" and params.min_profit_pct <= then.min_profit_pct:
            return False
    return profit_pct < params.min_profit_pct
