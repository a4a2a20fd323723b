"""Settings of the follower for whom wallets are judged."""

from typing import Final, NamedTuple

from walltrack.env import Env

_LAMPORTS_PER_SOL: Final = 10**9


class FollowSettings(NamedTuple):
    """Stake of a purchase and cost of a transaction, in lamports; and how many seconds
    the follower is behind a wallet.
    """

    stake_lamports: int
    cost_lamports: int
    delay_seconds: int


def follow_settings(env: Env) -> FollowSettings:
    """Return the settings of the environment. Raises ImproperlyConfigured."""
    stake_sol = env.decimal("FOLLOW_STAKE_SOL", "0.5", minimum="0.01", maximum="1000")
    return FollowSettings(
        stake_lamports=int(stake_sol * _LAMPORTS_PER_SOL),
        cost_lamports=env.integer(
            "FOLLOW_COST_LAMPORTS", 2_000_000, minimum=0, maximum=1_000_000_000
        ),
        delay_seconds=env.integer("FOLLOW_DELAY_SECONDS", 15, minimum=1, maximum=600),
    )
