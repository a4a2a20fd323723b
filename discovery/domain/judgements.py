"""Judgement of a wallet for somebody who follows it, and the population that it is
judged against.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

HORIZON_HOURS: Final = (24, 7 * 24, 14 * 24, 30 * 24)
"""Hours after a judgement at which its outcomes are measured."""


class Verdict(StrEnum):
    """The judgement of a wallet in a word."""

    FOLLOW = "follow"  # following it has very probably paid
    WATCH = "watch"  # it may pay; more evidence is needed
    NEUTRAL = "neutral"  # neither gain nor loss is shown
    AVOID = "avoid"  # following it has very probably lost
    NOT_KNOWN = "not known"  # too few results, or too few that can be read
    EXCLUDED = "excluded"  # a flag says that its results are not those of a trader


VERDICT_ADVICE: Final[dict[str, str]] = {
    Verdict.FOLLOW: "Following this wallet has very probably paid, after costs.",
    Verdict.WATCH: "Following it may pay. Wait for more tokens before you do.",
    Verdict.NEUTRAL: "Neither gain nor loss is shown. There is nothing to do.",
    Verdict.AVOID: "Who follows it very probably loses. Do not follow it.",
    Verdict.NOT_KNOWN: "Too few of its results count or can be read. Later profiles may change that.",
    Verdict.EXCLUDED: "A flag says that its results are not those of a trader whom one can follow.",
}
"""What a verdict means for an operator."""


class Unknown(StrEnum):
    """Reasons for which the result of a token is not known."""

    NO_PRICE = "no_price"  # a purchase without a price
    NOT_SEEN = "not_seen"  # more was sold than was seen coming
    UNPRICED_EXIT = "unpriced_exit"  # too many units left at an unknown price
    UNPRICED_BAG = "unpriced_bag"  # what is held cannot be valued


UNKNOWN_LABELS: Final[dict[str, str]] = {
    Unknown.NO_PRICE: "bought at an unknown price",
    Unknown.NOT_SEEN: "sold more than was seen coming",
    Unknown.UNPRICED_EXIT: "left at an unknown price",
    Unknown.UNPRICED_BAG: "value of the rest not known",
}
"""Reason of an unknown result → words for operators."""


class Exclusion(StrEnum):
    """Reasons for which a token is no evidence, whatever its result."""

    SEED = "seed"  # through it the wallet was found
    YOUNG = "young"  # first bought less than a week ago
    DUST = "dust"  # too little was put in
    CUT = "cut"  # bought before the part of the history that was read


EXCLUSION_LABELS: Final[dict[str, str]] = {
    Exclusion.SEED: "seed token: it revealed the wallet",
    Exclusion.YOUNG: "bought less than 7 days ago",
    Exclusion.DUST: "less than 0.01 SOL put in",
    Exclusion.CUT: "bought before the history that was read",
}
"""Reason of an exclusion → words for operators."""


class LevelStep(NamedTuple):
    """Change of the growth of the usual wallet's follower from one level of seeing to
    the next.
    """

    median: float  # of the wallets' means
    between: float  # variance between wallets
    within: float  # variance between the tokens of a wallet


class Prior(msgspec.Struct, frozen=True):
    """Expectation of a wallet before its own record, from the wallets of a run.

    steps: from costs only to behind the leader, from there to late; None where fewer
    than five wallets show it. sigma2: variance of a token's growth. g0, tau2: mean and
    variance of the wallets' mean growth, for display. mass: arm → probability of each
    cell of the effect. wallets: in the sample. family: scores of the judged, ascending.
    """

    steps: tuple[LevelStep | None, LevelStep | None]
    sigma2: float
    g0: float
    tau2: float
    mass: dict[str, tuple[float, ...]]
    wallets: int = 0
    family: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON. `from_dict` restores the same floats."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Prior":
        """Return the prior that `to_dict` wrote. Raises msgspec.ValidationError for a
        missing or mistyped field.
        """
        return msgspec.convert(values, cls)


class Judgement(msgspec.Struct, frozen=True):
    """Score, edge and verdict of one wallet. Figures are None where they do not apply.

    score: probability that following pays. Edges in % of the stake a trade: posterior
    mean with its 90 % interval; `leader_edge_pct` is the wallet's own growth. q_value:
    share of luck in a list that is cut at this wallet. p_value: probability that luck
    alone does as well. basis: how closely the follower's prices were seen.
    """

    wallet: str
    score: float | None
    verdict: Verdict
    edge_pct: float | None
    edge_low_pct: float | None
    edge_high_pct: float | None
    leader_edge_pct: float | None
    tokens: int  # with a known result
    effective_tokens: float  # old ones count for less
    known_share: float
    q_value: float | None
    p_value: float | None
    depends_on_one_token: bool
    basis: str | None
    reason: str


class Population(msgspec.Struct, frozen=True):
    """The wallets that were judged together.

    pi0: share of the found wallets without an edge by the prior. luck_share: expected
    share of luck among found wallets that gained. follow: number of wallets to follow;
    follow_luck: the expected share of luck among them.
    """

    g0: float
    tau2: float
    sigma2: float
    wallets: int
    pi0: float
    luck_share: float | None
    follow: int
    follow_luck: float | None
    prior: Prior
