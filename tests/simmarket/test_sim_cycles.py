"""Cycles of a wallet in a token, computed by hand on a curve without history."""

from dataclasses import replace
from fractions import Fraction

from simmarket.chain import pumpfun, swaps
from simmarket.chain.builder import Builder, Style
from simmarket.chain.world import Token
from simmarket.worlds import expected_results as truth

SOL = 10**9
PLAIN = Style(None)


class Tiny:
    """One token, four wallets; what they do is at the second it is said to be."""

    def __init__(self):
        self.builder = Builder("tiny", 1, -10_000)
        creator = self.builder.new_wallet(SOL)
        self.mint = self.builder.new_mint_address()
        mint = self.builder.ledger.add_mint(self.mint, "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", 6)
        self.curve = pumpfun.open_curve(self.builder, mint, self.builder.ledger.native, creator, -5_000)
        self.builder.ledger.fund(self.curve.account, 10 * SOL)
        self.builder.ledger.open_before(self.curve.account, mint, 10**15)
        self.builder.world.tokens[self.mint] = Token(mint, "TINY", "Tiny", "", "pump", -5_000, creator, [self.curve])
        self.wallets = [self.builder.new_wallet(50 * SOL) for _ in range(4)]
        self.builder.world.wallets.update(self.wallets)

    def buy(self, nth, at, lamports=SOL):
        return swaps.buy(self.builder, self.wallets[nth], self.curve, self.builder.moment(at), lamports, PLAIN)

    def sell(self, nth, at, units):
        swaps.sell(self.builder, self.wallets[nth], self.curve, self.builder.moment(at), units, PLAIN)

    def give(self, source, target, at, units):
        givers = self.wallets[source], self.wallets[target]
        swaps.pass_tokens(self.builder, *givers, self.curve, self.builder.moment(at), units, PLAIN)

    def cycles(self, nth):
        return truth.cycles(self.builder.world).get(self.builder.accounts.address(self.wallets[nth]), [])

    def lamports(self, nth, kind):
        """Market lamports of a wallet's trades of one kind, with or without what it paid beside."""
        sign = 1 if kind == "buy" else -1
        rows = [m for m in self.builder.world.movements if m.kind == kind and m.wallet == self.wallets[nth]]
        return sum(m.quote_units + sign * m.extras_lamports for m in rows)


def test_a_round_trip_is_one_closed_cycle_with_what_came_out_minus_what_went_in():
    tiny = Tiny()
    units = tiny.buy(0, -4_900) + tiny.buy(0, -4_800)
    tiny.sell(0, -4_700, units // 3)
    tiny.sell(0, -4_600, units - units // 3)
    (cycle,) = tiny.cycles(0)
    assert (cycle.mint, cycle.closed, cycle.left_wallet) == (tiny.mint, True, False)
    assert (cycle.opened_offset_seconds, cycle.closed_offset_seconds) == (-4_900, -4_600)
    assert cycle.put_in_lamports == tiny.lamports(0, "buy")
    assert cycle.matched_lamports == tiny.lamports(0, "sell")
    assert cycle.net_lamports == cycle.matched_lamports - cycle.put_in_lamports


def test_what_is_not_sold_counts_for_nothing_and_leaves_the_cycle_open():
    tiny = Tiny()
    units = tiny.buy(0, -4_900)
    tiny.sell(0, -4_800, units // 2)
    (cycle,) = tiny.cycles(0)
    assert (cycle.closed, cycle.closed_offset_seconds, cycle.last_trade_offset_seconds) == (False, None, -4_800)
    assert cycle.net_lamports == tiny.lamports(0, "sell") - tiny.lamports(0, "buy")


def test_one_per_cent_of_the_largest_holding_ends_a_cycle_and_more_does_not():
    for share, closed in ((99, True), (98, False)):
        tiny = Tiny()
        units = tiny.buy(0, -4_900)
        tiny.sell(0, -4_800, -(-units * share // 100))
        assert [cycle.closed for cycle in tiny.cycles(0)] == [closed]


def test_a_wallet_that_comes_back_opens_another_cycle():
    tiny = Tiny()
    tiny.sell(0, -4_800, tiny.buy(0, -4_900))
    first = tiny.cycles(0)
    tiny.sell(0, -4_600, tiny.buy(0, -4_700, 2 * SOL))
    both = tiny.cycles(0)
    assert both[:1] == first
    assert [cycle.opened_offset_seconds for cycle in both] == [-4_900, -4_700]
    assert sum(cycle.net_lamports for cycle in both) == tiny.lamports(0, "sell") - tiny.lamports(0, "buy")


def test_the_rest_of_an_ended_cycle_brings_its_proceeds_to_that_cycle():
    tiny = Tiny()
    units = tiny.buy(0, -4_900)
    rest = units // 200
    tiny.sell(0, -4_800, units - rest)
    before = tiny.cycles(0)[0]
    tiny.sell(0, -4_700, rest)
    (cycle,) = tiny.cycles(0)
    assert cycle.closed_offset_seconds == -4_800
    assert cycle.matched_lamports == tiny.lamports(0, "sell")
    assert cycle == replace(
        before,
        last_trade_offset_seconds=-4_700,
        matched_lamports=cycle.matched_lamports,
        net_lamports=cycle.net_lamports,
    )


def test_a_rest_sold_with_the_next_cycle_brings_its_share_to_the_cycle_that_paid_for_it():
    tiny = Tiny()
    units = tiny.buy(0, -4_900)
    rest = units // 200
    tiny.sell(0, -4_800, units - rest)
    earlier = tiny.cycles(0)[0].matched_lamports
    more = tiny.buy(0, -4_700)
    tiny.sell(0, -4_600, rest + more)
    first, second = tiny.cycles(0)
    last_sale = tiny.lamports(0, "sell") - earlier
    assert first.matched_lamports == round(earlier + Fraction(last_sale * rest, rest + more))
    assert second.matched_lamports == round(Fraction(last_sale * more, rest + more))
    assert first.closed_offset_seconds == -4_800


def test_a_bag_sent_away_is_a_cycle_that_left_the_wallet_and_lost_all_of_its_cost():
    tiny = Tiny()
    tiny.give(0, 1, -4_800, tiny.buy(0, -4_900))
    (cycle,) = tiny.cycles(0)
    assert (cycle.left_wallet, cycle.closed, cycle.matched_lamports) == (True, True, 0)
    assert cycle.net_lamports == -tiny.lamports(0, "buy")


def test_a_wallet_that_bought_nothing_has_no_cycle():
    tiny = Tiny()
    units = tiny.buy(0, -4_900)
    tiny.give(0, 1, -4_800, units)
    tiny.sell(1, -4_700, units)
    assert tiny.cycles(1) == []


def test_received_units_share_the_proceeds_of_a_cycle_but_not_its_cost():
    tiny = Tiny()
    given = tiny.buy(0, -4_900)
    tiny.give(0, 1, -4_850, given)
    bought = tiny.buy(1, -4_800)
    tiny.sell(1, -4_700, given + bought)
    (cycle,) = tiny.cycles(1)
    assert cycle.opened_offset_seconds == -4_850
    assert cycle.put_in_lamports == tiny.lamports(1, "buy")
    assert cycle.matched_lamports == round(tiny.lamports(1, "sell") * bought / (given + bought))


def test_cycles_add_up_to_the_positions_of_the_world(small_world):
    cycles = truth.cycles(small_world)
    checked = 0
    for mint, token in truth.tokens(small_world).items():
        for address, buyer in token.early_buyers.items():
            rows = [cycle for cycle in cycles[address] if cycle.mint == mint]
            assert sum(cycle.put_in_lamports for cycle in rows) - buyer.cost_lamports in range(
                -len(rows), len(rows) + 1
            )
            checked += len(rows)
    assert checked > 1_000
