"""A small world `living`, and the same world cut off at a moment."""

from dataclasses import fields

from simmarket.chain.world import World
from simmarket.worlds import living_world
from simmarket.worlds.living_tokens import Calendar
from simmarket.worlds.living_world import LivingSettings

DAY, HOUR = 86_400, 3_600
SETTINGS = LivingSettings(Calendar(past_days=8, future_days=3), bot_transactions=80)
SEED = 7


class EndedWorld(World):
    """A world that is served as it is, though it ends after offset 0."""

    @property
    def continues(self):
        return False


def build(until=None):
    """Return the small world; with `until` only what happens up to that offset."""
    return living_world.build(SEED, SETTINGS, until)


def cut_off_at(until):
    """Return the small world built only up to a moment, without later tokens."""
    built = build(until)
    later = [
        mint
        for mint, token in built.tokens.items()
        if not built.positions_of(token.pools[0].account)
    ]
    for mint in later:
        token = built.tokens.pop(mint)
        del built.ledger.mints[token.mint.account]
    return EndedWorld(
        **{each.name: getattr(built, each.name) for each in fields(World)}
    )


def quiet_moment(world, offset_seconds):
    """Return the first moment from this offset on with nothing in it and in the second
    before it: no slot of it is half served.
    """
    busy = {transaction.offset_seconds for transaction in world.transactions}
    while busy & {offset_seconds - 1, offset_seconds}:
        offset_seconds += 1
    return offset_seconds


class FixedClock:
    """Stands still at an offset after its origin, which can be changed."""

    speed = 0.0

    def __init__(self, origin, offset_seconds=0):
        self.origin = origin
        self.offset_seconds = offset_seconds

    def now(self):
        return self.origin + self.offset_seconds
