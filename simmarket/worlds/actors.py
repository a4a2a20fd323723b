"""The wallets of the small world, in groups by behaviour, and the way each one sends
its transactions.
"""

from dataclasses import dataclass, field
from random import Random

from simmarket.chain.builder import Builder, Style
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED

SOL = 10**9
GROUP_SIZES = {
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
_RICH_GROUPS = frozenset(("crowd", "creator", "liquidity provider"))
_BOTS = ("photon", "axiom", "trojan", "bloom", "bonkbot")


@dataclass(slots=True)
class Actors:
    """Wallets by group, with their styles."""

    groups: dict[str, list[int]] = field(default_factory=dict)
    styles: dict[int, Style] = field(default_factory=dict)
    _next_index: dict[str, int] = field(default_factory=dict)

    def next(self, group: str, count: int) -> list[int]:
        """Return the next `count` wallets of a group in rotation, so that each wallet
        trades several tokens.
        """
        wallets = self.groups[group]
        start = self._next_index.get(group, 0)
        self._next_index[group] = start + count
        return [
            wallets[(start + n) % len(wallets)] for n in range(min(count, len(wallets)))
        ]


def create_actors(builder: Builder) -> Actors:
    """Create every wallet with its opening balances and record its behaviours."""
    actors = Actors()
    for group, size in GROUP_SIZES.items():
        actors.groups[group] = [
            create_wallet(builder, actors, group, index) for index in range(size)
        ]
    return actors


def create_wallet(builder: Builder, actors: Actors, group: str, index: int) -> int:
    """Create the wallet with this index in a group: opening balances, style and
    behaviours; return its id.
    """
    rng = builder.random
    whole_sol = rng.randint(300, 900) if group in _RICH_GROUPS else rng.randint(40, 160)
    wallet = builder.new_wallet(whole_sol * SOL + rng.randrange(SOL))
    # every wallet owns USDC from the start, so that the USDC curve has buyers in every
    # group
    builder.ledger.open_before(
        wallet, builder.usdc, rng.randint(20_000, 90_000) * 10**6
    )
    builder.world.wallets.add(wallet)
    style = _style(rng, group, index)
    actors.styles[wallet] = style
    builder.world.behaviours[builder.accounts.address(wallet)] = _behaviours(
        group, style
    )
    return wallet


def _behaviours(group: str, style: Style) -> list[str]:
    """Return the labels of a wallet; the crowd has none of its own."""
    behaviours = [] if group == "crowd" else [group]
    if style.bot and "bot user" not in behaviours:
        behaviours.append("bot user")
    if style.tip_lamports and "tipper" not in behaviours:
        behaviours.append("tipper")
    return behaviours


def _style(rng: Random, group: str, index: int) -> Style:
    version = rng.choice((0, 0, 0, None, None, 1, 1))
    return Style(
        version=None if group == "creator" else version,
        priority_micro_lamports=rng.choice((0, 0, 5_000, 120_000, 400_000, 2_500_000)),
        tip_lamports=rng.randint(10_000, 3_000_000) if _tips(group, index) else 0,
        bot=_BOTS[index % len(_BOTS)] if _uses_bot(group, index) else None,
        wrapped=rng.choice(("associated", "associated", "seeded", "permanent")),
        closes_empty=rng.random() < 0.2,
    )


def _uses_bot(group: str, index: int) -> bool:
    return group == "bot user" or (group == SKILLED and index % 4 == 1)


def _tips(group: str, index: int) -> bool:
    return group in {"tipper", "sniper"} or (group == SKILLED and index % 4 == 2)
