"""Which wallets the last runs would have found with other parameters, by the facts that
they stored.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from discovery.analysis.qualification import rejection_under
from discovery.domain.rejections import BuyerFigures, explain_rejection
from discovery.domain.run_params import Params, plain_number

_SECONDS_PER_HOUR: Final = 3600
_ZERO: Final = Decimal(0)


class TokenMinimum(NamedTuple):
    """A filter of the search that compares a figure of a token with a minimum."""

    reason: str  # in the funnel, after "token_"
    param: str
    words: str
    unit: str


TOKEN_MINIMA: Final = (
    TokenMinimum("price_change", "min_price_change_pct", "price change", "%"),
    TokenMinimum("volume", "min_volume_usd", "volume", "USD"),
    TokenMinimum("liquidity", "min_liquidity_usd", "liquidity", "USD"),
)


class SeenToken(msgspec.Struct, frozen=True):
    """A token that a run analysed. figures: parameter of its minimum → figure of the
    search, None = not reported. launched_at: unix seconds.
    """

    rank: int
    figures: Mapping[str, Decimal | None]
    launched_at: int | None


class SeenBuyer(msgspec.Struct, frozen=True):
    """An early buyer of a token, as a run saw it."""

    wallet: str
    mint: str
    entry_rank: int | None
    figures: BuyerFigures


class SeenRun(msgspec.Struct, frozen=True):
    """What is stored about a run. tokens: by mint, the analysed ones. is_given: its tokens were
    named by its request, without filters. funnel: counts by name.
    """

    run_id: uuid.UUID
    started_at: int  # unix seconds
    params: Params
    is_given: bool
    tokens: Mapping[str, SeenToken]
    buyers: Sequence[SeenBuyer]
    funnel: Mapping[str, Any]


class Decision(NamedTuple):
    """A wallet in a token of a run, under other parameters: why a filter removes the
    token, in words, and why the wallet does not qualify. "" = no reason, None = not
    known.
    """

    run: SeenRun
    buyer: SeenBuyer
    token_reason: str | None
    rejection: str | None

    @property
    def passes(self) -> bool | None:
        """Whether the wallet qualifies through the token; None if that is not known."""
        if self.token_reason or self.rejection:
            return False
        is_unknown = self.token_reason is None or self.rejection is None
        return None if is_unknown else True

    @property
    def was(self) -> str:
        """What the run decided, in words."""
        figures = self.buyer.figures
        return explain_rejection(figures.rejection, figures, self.run.params)

    def now(self, params: Params) -> str:
        """What the other parameters decide, in words."""
        if self.token_reason:
            return self.token_reason
        return explain_rejection(self.rejection or "", self.buyer.figures, params)


class Comparison(msgspec.Struct, frozen=True):
    """The wallets that qualified in the runs, and those that would. Who enters or leaves is
    shown by the token with the best profit, best first.

    unknown: wallets that qualified, of which it is not known whether they still would.
    """

    qualified: int
    qualified_after: int
    entering: list[Decision]
    leaving: list[Decision]
    unknown: int
    removed_tokens: int


def compare(runs: Iterable[SeenRun], params: Params) -> Comparison:
    """Return which wallets the runs would have found with `params`.

    A wallet qualifies if it does so through one token of one of the runs at least. Each
    run is compared with what it decided with its own parameters.
    """
    by_wallet: dict[str, list[Decision]] = {}
    removed_tokens = 0
    for run in runs:
        removed = removed_by_filters(run, params)
        removed_tokens += sum(bool(reason) for reason in removed.values())
        for buyer in run.buyers:
            rejection = rejection_under(buyer.figures, params, run.params)
            decision = Decision(run, buyer, removed.get(buyer.mint, ""), rejection)
            by_wallet.setdefault(buyer.wallet, []).append(decision)
    return _compared(by_wallet.values(), removed_tokens)


def _compared(wallets: Iterable[list[Decision]], removed_tokens: int) -> Comparison:
    qualified = qualified_after = unknown = 0
    entering: list[Decision] = []
    leaving: list[Decision] = []
    for decisions in wallets:
        before = [each for each in decisions if not each.buyer.figures.rejection]
        after = [each for each in decisions if each.passes]
        qualified += bool(before)
        qualified_after += bool(after)
        if after and not before:
            entering.append(min(after, key=_best_first))
        elif before and not after:
            if any(each.passes is None for each in before):
                unknown += 1
            else:
                leaving.append(min(before, key=_best_first))
    entering.sort(key=_best_first)
    leaving.sort(key=_best_first)
    return Comparison(
        qualified=qualified,
        qualified_after=qualified_after,
        entering=entering,
        leaving=leaving,
        unknown=unknown,
        removed_tokens=removed_tokens,
    )


def _best_first(decision: Decision) -> tuple[Decimal, str, str]:
    """Return the sort key that puts the best profit first; only known results enter or
    leave.
    """
    buyer = decision.buyer
    profit_pct = buyer.figures.profit_pct
    return -(_ZERO if profit_pct is None else profit_pct), buyer.wallet, buyer.mint


def removed_by_filters(run: SeenRun, params: Params) -> dict[str, str | None]:
    """Return mint → why a filter of the search would remove a token that the run
    analysed, in words; "" if none would, None if that is not known.

    Only filters that are stricter than those of the run are applied: the run's own let
    the token pass, on figures that may have changed since.
    """
    if run.is_given:
        return {}
    removed = {
        mint: _filter_reason(token, run, params) for mint, token in run.tokens.items()
    }
    if params.max_tokens < run.params.max_tokens:
        _remove_beyond_maximum(removed, run, params.max_tokens)
    return removed


def _remove_beyond_maximum(
    removed: dict[str, str | None], run: SeenRun, max_tokens: int
) -> None:
    remaining = [mint for mint, reason in removed.items() if not reason]
    remaining.sort(key=lambda mint: (run.tokens[mint].rank, mint))
    for mint in remaining[max_tokens:]:
        removed[mint] = (
            f"the token is not among the {max_tokens} most promising of the run"
        )


def _filter_reason(token: SeenToken, run: SeenRun, params: Params) -> str | None:
    max_age_hours = params.max_token_age_hours
    is_age_unknown = False
    if max_age_hours < run.params.max_token_age_hours:
        if token.launched_at is None:
            is_age_unknown = True
        elif run.started_at - token.launched_at > max_age_hours * _SECONDS_PER_HOUR:
            return f"the token was older than {max_age_hours} h"
    for minimum in TOKEN_MINIMA:
        required: Decimal = getattr(params, minimum.param)
        if required <= getattr(run.params, minimum.param):
            continue
        figure = token.figures.get(minimum.param)
        # The search counts a figure that nobody reports as zero.
        if (figure or _ZERO) < required:
            return _below_minimum(minimum, figure, required)
    return None if is_age_unknown else ""


def _below_minimum(
    minimum: TokenMinimum, figure: Decimal | None, required: Decimal
) -> str:
    bound = f"the minimum of {plain_number(required)} {minimum.unit}"
    if figure is None:
        return f"the token's {minimum.words} was not reported, which is below {bound}"
    value = f"{figure:,.2f} {minimum.unit}"
    return f"the token's {minimum.words} of {value} is below {bound}"
