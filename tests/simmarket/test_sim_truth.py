"""The truth, computed by hand on worlds small enough for that."""

from decimal import Decimal
from fractions import Fraction

from simmarket.chain import pumpfun, swaps
from simmarket.chain.builder import Builder, Style
from simmarket.chain.slots import SlotClock
from simmarket.chain.sol_price import SolPrice
from simmarket.chain.world import BUY, SELL, Token
from simmarket.worlds import expected_results as truth
from simmarket.worlds.cost_basis import Position

SOL = 10**9


def _tiny():
    """A curve without history; returns (builder, pool, mint address)."""
    builder = Builder("tiny", 1, -10_000)
    creator = builder.new_wallet(SOL)
    address = builder.new_mint_address()
    mint = builder.ledger.add_mint(address, "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", 6)
    curve = pumpfun.open_curve(builder, mint, builder.ledger.native, creator, -5_000)
    builder.ledger.fund(curve.account, 10 * SOL)
    builder.ledger.open_before(curve.account, mint, 10**15)
    builder.world.tokens[address] = Token(mint, "TINY", "Tiny", "", "pump", -5_000, creator, [curve])
    return builder, curve, address


def _wallet(builder):
    wallet = builder.new_wallet(50 * SOL)
    builder.world.wallets.add(wallet)
    return wallet


def _done(builder, address, **options):
    builder.world.index()
    return truth.tokens(builder.world, **options)[address].early_buyers


def test_a_round_trip_is_what_came_out_minus_what_went_in():
    builder, curve, address = _tiny()
    wallet = _wallet(builder)
    style = Style(0, tip_lamports=1_000, bot="photon", priority_micro_lamports=5_000)
    before = builder.ledger.lamports[wallet]
    units = swaps.buy(builder, wallet, curve, builder.moment(-4_900), SOL, style)
    swaps.sell(builder, wallet, curve, builder.moment(-4_800), units, style)
    buyer = _done(builder, address)[builder.accounts.address(wallet)]
    spent = before - builder.ledger.lamports[wallet]
    assert buyer.realised_lamports == -spent + 2_039_280  # the rent of its token account is still its own
    assert not buyer.history_incomplete
    exact = Fraction(100 * buyer.realised_lamports, buyer.cost_lamports)
    assert buyer.profit_pct == truth.two_decimals(exact)
    assert not buyer.qualified


def test_the_window_is_inclusive_and_the_first_acquisition_decides():
    builder, curve, address = _tiny()
    first, last, late, gifted, giver = (_wallet(builder) for _ in range(5))
    style = Style(None)
    swaps.buy(builder, giver, curve, builder.moment(-5_000), SOL, style)
    swaps.buy(builder, first, curve, builder.moment(-5_000, 1), SOL, style)
    swaps.pass_tokens(builder, giver, gifted, curve, builder.moment(-4_000), 10**9, style)
    swaps.buy(builder, gifted, curve, builder.moment(-3_900), SOL, style)
    swaps.buy(builder, last, curve, builder.moment(-3_200), SOL, style)
    swaps.buy(builder, late, curve, builder.moment(-3_199), SOL, style)
    found = _done(builder, address)
    assert list(found) == [builder.accounts.address(wallet) for wallet in (giver, first, last)]
    assert [buyer.entry_rank for buyer in found.values()] == [1, 2, 3]
    assert builder.accounts.address(late) in truth.tokens(builder.world, early_window_minutes=31)[address].early_buyers


def test_received_units_share_the_proceeds_but_have_no_basis():
    position = Position()
    position.buy(100, Fraction(1000), 0)
    position.receive(100)
    position.sell(100, Fraction(3000), 0)
    assert (position.realised, position.matched_proceeds, position.unmatched_proceeds) == (1000, 1500, 1500)
    assert (position.with_basis, position.without_basis, position.basis) == (50, 50, 500)


def test_units_sent_away_take_their_basis_along_and_earn_nothing():
    position = Position()
    position.buy(100, Fraction(1000), 10)
    position.give(25)
    position.sell(75, Fraction(900), 0)
    assert position.realised == 900 - Fraction(1010) * 3 / 4
    assert position.put_in == 1010


def test_selling_in_clips_changes_nothing():
    whole, clips = Position(), Position()
    for position in (whole, clips):
        position.buy(90, Fraction(900), 5)
        position.receive(30)
    whole.sell(120, Fraction(2400), 12)
    for _ in range(3):
        clips.sell(40, Fraction(800), 4)
    assert (whole.realised, whole.matched_proceeds) == (clips.realised, clips.matched_proceeds)


def test_a_sale_beyond_the_known_units_marks_the_history():
    position = Position()
    position.buy(100, Fraction(1000), 0)
    position.sell(400, Fraction(4000), 8)
    assert position.history_incomplete
    assert (position.matched_proceeds, position.realised) == (998, -2)
    assert position.unmatched_proceeds == 3 * 998
    assert position.held == 0


def test_two_decimals_round_half_even():
    assert truth.two_decimals(Fraction(5, 1000)) == Decimal("0.00")
    assert truth.two_decimals(Fraction(15, 1000)) == Decimal("0.02")
    assert truth.two_decimals(Fraction(10**15) / 3) == Decimal("333333333333333.33")


def test_qualified_looks_at_the_exact_value_and_never_at_a_tokens_creator(small_world):
    for mint, token in truth.tokens(small_world).items():
        creator = small_world.accounts.address(small_world.tokens[mint].creator)
        for address, buyer in token.early_buyers.items():
            assert buyer.profit_pct is not None
            if abs(buyer.profit_pct - 50) > Decimal("0.01"):
                assert buyer.qualified == (buyer.profit_pct > 50 and address != creator)


def test_usdc_is_converted_at_the_last_closed_minute(small_world):
    native = small_world.ledger.native.account
    movement = next(m for m in small_world.movements if m.kind == BUY and m.quote != native)
    offset = small_world.transactions[movement.transaction].offset_seconds
    cents = small_world.price.close_cents(offset // 60 - 1)
    assert truth.market_lamports(small_world, movement) == Fraction(movement.quote_units * 10**9 * 100, 10**6 * cents)


def test_the_price_series_stays_in_its_band():
    price = SolPrice(7)
    closes = [price.close_cents(minute) for minute in range(-20_000, 200)]
    assert 15_000 <= min(closes) <= max(closes) <= 19_000
    assert len(set(closes)) > 500


def test_slots_and_seconds_map_both_ways():
    clock = SlotClock(-200_000)
    slots = [clock.slot_at(second) for second in range(-200_000, 100, 7)]
    assert slots == sorted(set(slots))
    for second in range(-200_000, 100, 331):
        slot = clock.slot_at(second)
        assert clock.offset_of(slot) == clock.offset_of(slot + 1) == second
        assert clock.offset_of(slot - 1) == second - 1
    paces = {clock.slot_at(hour * 3600 + 3600) - clock.slot_at(hour * 3600) for hour in range(-50, 0)}
    assert len(paces) > 2


def test_the_cast_shows_every_habit_among_the_early_buyers(small_world):
    seen = {
        habit for token in truth.tokens(small_world).values() for b in token.early_buyers.values() for habit in b.habits
    }
    assert seen >= {
        "skilled", "lucky once", "sniper", "bot user", "tipper", "bag holder", "transfer-out loser", "creator",
        "same slot twice", "returner", "clip seller", "overseller", "second pool seller",
    }  # fmt: skip


def test_wallets_that_received_first_are_no_early_buyers(small_world):
    found = truth.tokens(small_world)
    first = {}
    for movement in small_world.movements:
        first.setdefault((movement.wallet, movement.mint), movement)
    gifted = [m for m in first.values() if m.kind == "in"]
    assert len(gifted) > 20
    for movement in gifted:
        mint = small_world.accounts.address(movement.mint)
        assert small_world.accounts.address(movement.wallet) not in found[mint].early_buyers


def test_skilled_wallets_mostly_qualify_and_bag_holders_never(small_world):
    outcome = {"skilled": [], "bag holder": []}
    for token in truth.tokens(small_world).values():
        for buyer in token.early_buyers.values():
            for habit in set(buyer.habits) & set(outcome):
                outcome[habit].append(buyer.qualified)
    assert sum(outcome["skilled"]) > 0.6 * len(outcome["skilled"])
    assert not any(outcome["bag holder"])
    assert truth.skilled(small_world)
    assert not truth.skilled(small_world) & truth.lucky_once(small_world)


def test_some_wallets_buy_twice_in_one_slot(small_world):
    buys = [
        (m.wallet, m.mint, small_world.transactions[m.transaction].slot) for m in small_world.movements if m.kind == BUY
    ]
    assert len(buys) > len(set(buys))


def test_some_wallets_sell_more_than_they_bought(small_world):
    net = {}
    for movement in small_world.movements:
        if movement.kind in {BUY, SELL}:
            sign = 1 if movement.kind == BUY else -1
            key = movement.wallet, movement.mint
            net[key] = net.get(key, 0) + sign * movement.units
    assert sum(units < 0 for units in net.values()) > 10
