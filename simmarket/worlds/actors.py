"""The wallets of the small world: who there is, how each one sends its transactions."""

from dataclasses import dataclass, field
from random import Random

from simmarket.chain.builder import Builder, Style
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED

SOL = 10**9
# group -> how many wallets
GROUPS = {
    SKILLED: 14,
    LUCKY_ONCE: 12,
    "sniper": 12,
    "bot user": 16,
    "tipper": 10,
    "bag holder": 24,
    "transfer in": 8,
    "receiver": 8,
    "transfer-out loser": 8,
    "second wallet": 8,
    "creator": 26,
    "same slot twice": 6,
    "returner": 10,
    "clip seller": 12,
    "overseller": 8,
    "second pool seller": 6,
    "liquidity provider": 2,
    "crowd": 150,
}
_BOTS = ("photon", "axiom", "trojan", "bloom", "bonkbot")


@dataclass(slots=True)
class Cast:
    """Wallets by group, with their styles."""

    groups: dict[str, list[int]] = field(default_factory=dict)
    styles: dict[int, Style] = field(default_factory=dict)
    _turn: dict[str, int] = field(default_factory=dict)

    def next(self, group: str, count: int) -> list[int]:
        """The next `count` wallets of a group, round and round, so that everybody trades several tokens."""
        wallets = self.groups[group]
        start = self._turn.get(group, 0)
        self._turn[group] = start + count
        return [wallets[(start + nth) % len(wallets)] for nth in range(min(count, len(wallets)))]


def gather(builder: Builder) -> Cast:
    """Make every wallet with its opening balances and note its habit."""
    cast = Cast()
    for group, count in GROUPS.items():
        cast.groups[group] = [join(builder, cast, group, nth) for nth in range(count)]
    return cast


def join(builder: Builder, cast: Cast, group: str, nth: int) -> int:
    """Make the `nth` wallet of a group with its opening balances, its style and its habits; returns its id."""
    rng = builder.random
    rich = group in {"crowd", "creator", "liquidity provider"}
    wallet = builder.new_wallet((rng.randint(300, 900) if rich else rng.randint(40, 160)) * SOL + rng.randrange(SOL))
    # everybody holds USDC from before, so that the USDC curve has buyers in every group
    builder.ledger.open_before(wallet, builder.usdc, rng.randint(20_000, 90_000) * 10**6)
    builder.world.wallets.add(wallet)
    habits = [] if group == "crowd" else [group]
    builder.world.habits[builder.accounts.address(wallet)] = habits
    style = _style(rng, group, nth)
    cast.styles[wallet] = style
    if style.bot and "bot user" not in habits:
        habits.append("bot user")
    if style.tip_lamports and "tipper" not in habits:
        habits.append("tipper")
    return wallet


def _style(rng: Random, group: str, nth: int) -> Style:
    version = rng.choice((0, 0, 0, None, None, 1, 1))
    bot = _BOTS[nth % len(_BOTS)] if group == "bot user" or (group == SKILLED and nth % 4 == 1) else None
    tips = group in {"tipper", "sniper"} or (group == SKILLED and nth % 4 == 2)
    return Style(
        version=None if group == "creator" else version,
        priority_micro_lamports=rng.choice((0, 0, 5_000, 120_000, 400_000, 2_500_000)),
        tip_lamports=rng.randint(10_000, 3_000_000) if tips else 0,
        bot=bot,
        wrapped=rng.choice(("associated", "associated", "seeded", "kept")),
        closes_empty=rng.random() < 0.2,
    )
