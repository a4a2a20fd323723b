"""Who trades which token of world `living`, and until when each trader has its skill."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simmarket.chain.world import World
from simmarket.worlds.actors import Actors
from simmarket.worlds.expected_results import SKILLED
from simmarket.worlds.living_plans import LivingPlans
from simmarket.worlds.living_tokens import DAY, Calendar, LivingStages
from simmarket.worlds.traders_world import BAG_HOLDER, LUCKY, PAYOFF

EARLY_LOSER = "early loser"
STOPPER = "stopper"
QUIET = "quiet"
ACTIVE_BOT = "active bot"
DECAYING = "decaying"
"""A further label of skilled traders who lose their skill."""

DECAY_DAYS = (5, 9, 13)
"""The first day without skill, of the first skilled traders."""
STOP_DAYS = (4, 8, 16)
"""The first day without a trade, of each stopper."""
_QUIET_DAYS = (6, 19)
_DAYS_BETWEEN_LUCK = 3  # the one win of each lucky trader, one after the other
_EARLY_LOSERS_PER_TOKEN = 8

Trade = Callable[[LivingPlans, int], object]


class Past(NamedTuple):
    """How many tokens of the past a trader takes part in, and how many it wins."""

    tokens: int
    wins: int


PAST = {
    SKILLED: Past(24, 18),
    STOPPER: Past(20, 15),
    PAYOFF: Past(26, 8),
    BAG_HOLDER: Past(20, 7),
    LUCKY: Past(20, 2),
    EARLY_LOSER: Past(10, 1),
    QUIET: Past(4, 3),
}


class LivingPlanner:
    """Plans every trader's tokens, day by day."""

    def __init__(
        self, world: World, actors: Actors, stages: LivingStages, calendar: Calendar
    ) -> None:
        self._world = world
        self._groups = actors.groups
        self._calendar = calendar
        self._runners = [LivingPlans(stage) for stage in stages.runners]
        self._pumped = [LivingPlans(stage) for stage in stages.pumped]
        self._rng = self._runners[0].rng

    def plan(self, bot_transactions: int) -> None:
        """Plan the past of all traders, then their days from shortly before the present
        on.
        """
        self._record_skills()
        self._plan_past(SKILLED, _ride_late, _stumble_a_little)
        self._plan_past(STOPPER, _ride_late, _stumble_a_little)
        self._plan_past(PAYOFF, _ride_early, _stumble)
        self._plan_past(BAG_HOLDER, _ride, LivingPlans.hold)
        self._plan_past(LUCKY, _ride_early, _stumble_far)
        self._plan_past(EARLY_LOSER, _ride, _stumble)
        self._plan_past(QUIET, _ride_late, _stumble_a_little)
        for plans in self._pumped:
            self._plan_early_losers(plans)
        for day in range(-2, self._calendar.future_days + 1):
            self._plan_day(day)
        self._plan_bot(bot_transactions)

    def _plan_past(self, group: str, win: Trade, lose: Trade) -> None:
        """Plan each trader's tokens of the past, won and lost ones mixed in time."""
        past = [plans for plans in self._runners if plans.life.end < -2 * DAY]
        record = PAST[group]
        for wallet in self._groups[group]:
            tokens = self._rng.sample(past, min(record.tokens, len(past)))
            wins = record.wins * len(tokens) // record.tokens
            for plans in tokens[:wins]:
                win(plans, wallet)
            for plans in tokens[wins:]:
                lose(plans, wallet)

    def _plan_early_losers(self, plans: LivingPlans) -> None:
        """Let some buy as early as those who gain, and not gain."""
        losers = self._rng.sample(self._groups[EARLY_LOSER], _EARLY_LOSERS_PER_TOKEN)
        for index, wallet in enumerate(losers):
            if index % 2:
                plans.stay_too_long(wallet)
            else:
                plans.leave_early(wallet)

    def _plan_day(self, day: int) -> None:
        pumped, runners = _of_day(self._pumped, day), _of_day(self._runners, day)
        if not pumped:
            return
        runners = runners or pumped
        self._plan_skilled_day(day, pumped, runners)
        for index, wallet in enumerate(self._groups[STOPPER]):
            last_day = STOP_DAYS[index] - 2  # what it buys is sold a day later
            if day <= last_day:
                chance = 1.0 if day == last_day else 0.7
                self._trade(pumped, chance, LivingPlans.win_early, wallet)
                self._trade(runners, 0.4, _ride_late, wallet)
        if day in _QUIET_DAYS:
            for wallet in self._groups[QUIET]:
                self._trade(pumped, 1.0, LivingPlans.win_early, wallet)
        self._plan_others(pumped, runners)
        for index, wallet in enumerate(self._groups[LUCKY]):
            if day == index * _DAYS_BETWEEN_LUCK:
                self._trade(pumped, 1.0, LivingPlans.win_early, wallet)
            else:
                self._trade(pumped, 0.5, LivingPlans.lose_late, wallet)

    def _plan_skilled_day(
        self, day: int, pumped: Sequence[LivingPlans], runners: Sequence[LivingPlans]
    ) -> None:
        """Plan one or two tokens of each skilled trader. They are spread over the pumped
        tokens of the day; who has lost the skill loses in them.
        """
        skilled: list[int] = []
        for index, wallet in enumerate(self._groups[SKILLED]):
            decay_day = _decay_day(index)
            if decay_day is None or day < decay_day:
                skilled.append(wallet)
                continue
            self._trade(pumped, 0.8, LivingPlans.lose_late, wallet)
            self._trade(runners, 0.6, _stumble, wallet)
        self._rng.shuffle(skilled)
        for place, wallet in enumerate(skilled):
            token = pumped[place % len(pumped)]
            chance = 1.0 if place < 2 * len(pumped) else 0.75
            self._trade([token], chance, LivingPlans.win_early, wallet)
            is_win = self._rng.random() < 0.75
            trade: Trade = _ride_late if is_win else _stumble_a_little
            self._trade(runners, 0.6, trade, wallet)

    def _plan_others(
        self, pumped: Sequence[LivingPlans], runners: Sequence[LivingPlans]
    ) -> None:
        for wallet in self._groups[PAYOFF]:
            is_win = self._rng.random() < 0.34
            if is_win:
                self._trade(pumped, 0.6, LivingPlans.win_early, wallet)
            else:
                self._trade(runners, 0.6, _stumble, wallet)
        for wallet in self._groups[BAG_HOLDER]:
            is_win = self._rng.random() < 0.15
            trade: Trade = LivingPlans.win_early if is_win else LivingPlans.hold
            self._trade(pumped, 0.4, trade, wallet)

    def _plan_bot(self, transactions: int) -> None:
        (wallet,) = self._groups[ACTIVE_BOT]
        tokens = self._runners + self._pumped
        for _ in range(transactions // 2):
            self._rng.choice(tokens).flip(wallet)

    def _trade(
        self, tokens: Sequence[LivingPlans], chance: float, trade: Trade, wallet: int
    ) -> None:
        """Plan a trade in one of these tokens, or none."""
        if self._rng.random() < chance:
            trade(self._rng.choice(tokens), wallet)

    def _record_skills(self) -> None:
        """Record who is skilled and until when."""
        for index, wallet in enumerate(self._groups[SKILLED]):
            decay_day = _decay_day(index)
            address = self._record_skill(wallet, decay_day)
            if decay_day is not None:
                self._world.behaviours[address].append(DECAYING)
        for index, wallet in enumerate(self._groups[STOPPER]):
            self._record_skill(wallet, STOP_DAYS[index])
        for wallet in self._groups[PAYOFF] + self._groups[QUIET]:
            self._record_skill(wallet, None)

    def _record_skill(self, wallet: int, end_day: int | None) -> str:
        """Record until when a wallet is skilled; return its address."""
        address = self._world.accounts.address(wallet)
        end = self._calendar.last_offset_seconds
        if end_day is not None:
            end = min(end, end_day * DAY)
        self._world.skill_spans[address] = (self._calendar.first_offset_seconds, end)
        return address


def _decay_day(index: int) -> int | None:
    """Return the first day without skill of a skilled trader, None for a lasting one."""
    return DECAY_DAYS[index] if index < len(DECAY_DAYS) else None


def _of_day(tokens: Sequence[LivingPlans], day: int) -> list[LivingPlans]:
    """Return the tokens that were launched on a day."""
    return [plans for plans in tokens if plans.launch // DAY == day]


def _ride_late(plans: LivingPlans, wallet: int) -> None:
    plans.ride(wallet, 0.55, 0.82)


def _ride_early(plans: LivingPlans, wallet: int) -> None:
    plans.ride(wallet, 0.15, 0.35)


def _ride(plans: LivingPlans, wallet: int) -> None:
    plans.ride(wallet, 0.5, 0.72)


def _stumble_a_little(plans: LivingPlans, wallet: int) -> None:
    plans.stumble(wallet, 0.08, 0.2)


def _stumble_far(plans: LivingPlans, wallet: int) -> None:
    plans.stumble(wallet, 0.25, 0.8)


def _stumble(plans: LivingPlans, wallet: int) -> None:
    plans.stumble(wallet, 0.15, 0.5)
