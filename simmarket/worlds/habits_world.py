"""World `habits`: one token, and early buyers that each do something beside buying and
selling: orders, exchanges for another token, own SOL that moves along, loans,
liquidity, dust, loops. And one token of another launchpad, whose creator buys first.
"""

from collections.abc import Callable

from simmarket.chain import plain_pool, programs, pumpfun, swaps
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.instructions import (
    close_account,
    open_associated,
    signer,
    sol_transfer,
    units_transfer,
)
from simmarket.chain.ledger import Draft, Mint
from simmarket.chain.pool_swap import PoolSwap
from simmarket.chain.swaps import Fill, Order
from simmarket.chain.world import (
    BUY,
    LOSE,
    ORDER_CLOSE,
    ORDER_FILL,
    ORDER_OPEN,
    SELL,
    TRANSFER_IN,
    Movement,
    World,
)
from simmarket.worlds.actors import SOL
from simmarket.worlds.habits_tokens import creation, new_curve, split_pool
from simmarket.worlds.launchlab_token import plan_launchlab_token
from simmarket.worlds.timeline import Timeline

LAUNCH = -4 * 3600
_EARLY, _LATE = 300, 7200  # seconds after the launch
_KAMINO_DEPOSIT = bytes((129, 199, 4, 2, 222, 39, 26, 46))
_DLMM_ADD_LIQUIDITY = bytes((181, 157, 89, 67, 143, 182, 52, 72))


def build(seed: int) -> World:
    """Return the world of a seed."""
    builder = Builder("habits", seed, 2 * LAUNCH)
    timeline = Timeline(builder)
    _Habits(builder, timeline).plan()
    plan_launchlab_token(builder, timeline, LAUNCH)
    timeline.run()
    builder.world.index()
    return builder.world


class _Habits:
    """The wallets of one token on its curve."""

    def __init__(self, builder: Builder, timeline: Timeline) -> None:
        self.builder = builder
        self.timeline = timeline
        self.creator = builder.new_wallet(100 * SOL)
        self.friend = builder.new_wallet(1_000 * SOL)
        builder.world.wallets |= {self.creator, self.friend}
        self.curve = new_curve(builder, self.creator, LAUNCH, "HABIT")
        self.other_curve = new_curve(builder, self.creator, LAUNCH, "OTHER")
        self.split_pool = split_pool(builder, self.mint, self.creator, LAUNCH)
        self.pda = {
            name: builder.accounts.derived(program, name.encode())
            for name, program in (
                ("reserve", programs.KAMINO_LEND),
                ("bins", programs.METEORA_DLMM),
            )
        }
        for owner in self.pda.values():
            builder.ledger.fund(owner, 10 * SOL)
            builder.ledger.open_before(owner, builder.ledger.native, 100 * SOL)

    @property
    def mint(self) -> Mint:
        """The token of the habits."""
        return self.curve.mint

    def plan(self) -> None:
        """Plan the creation of both tokens, every habit, and trades that raise the
        price.
        """
        for curve in (self.curve, self.other_curve):
            self._at(0, creation(self.builder, self.creator, curve))
        planners: dict[str, Callable[[int, int, int], None]] = {
            "order filled": self._order_filled,
            "order open": self._order_open,
            "order cancelled": self._order_cancelled,
            "token for token": self._token_for_token,
            "sweep": self._sweep,
            "funded buy": self._funded_buy,
            "sponsored": self._sponsored,
            "borrower": self._borrower,
            "liquidity provider": self._liquidity_provider,
            "rebuyer": self._rebuyer,
            "dust receiver": self._dust_receiver,
            "loop": self._loop,
        }
        for number, (habit, planner) in enumerate(planners.items()):
            wallet = self.builder.new_wallet(60 * SOL)
            self.builder.world.wallets.add(wallet)
            address = self.builder.accounts.address(wallet)
            self.builder.world.behaviours[address] = [habit]
            planner(wallet, _EARLY + 30 * number, _LATE + 60 * number)
        for number in range(30):
            self._at(2_000 + 100 * number, self._buy(self.friend, SOL))

    # Habits: what a wallet does early and late, in seconds after the launch.

    def _order_filled(self, wallet: int, early: int, late: int) -> None:
        keeper = self.builder.new_wallet(SOL)
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._deposit(wallet, when))
        self._at(late + 900, lambda when: self._fill(wallet, keeper, when))

    def _order_open(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._deposit(wallet, when))

    def _order_cancelled(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._deposit(wallet, when))
        self._at(late + 900, lambda when: self._cancel(wallet, when))
        self._at(late + 1_800, self._sell(wallet))

    def _token_for_token(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._exchange(wallet, when))

    def _sweep(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._sell_and_send_on(wallet, when))

    def _funded_buy(self, wallet: int, early: int, late: int) -> None:
        self._at(early, lambda when: self._buy_with_a_gift(wallet, when))
        self._at(late, self._sell(wallet))

    def _sponsored(self, wallet: int, early: int, late: int) -> None:
        self._at(early, lambda when: self._buy_with_a_sponsor(wallet, when))
        self._at(late, self._sell(wallet))

    def _borrower(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._borrow(wallet, when))

    def _liquidity_provider(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, lambda when: self._add_liquidity(wallet, when))

    def _rebuyer(self, wallet: int, early: int, late: int) -> None:
        self._at(early, self._buy(wallet))
        self._at(late, self._sell(wallet))
        self._at(late + 600, self._buy(wallet, 12 * SOL))

    def _dust_receiver(self, wallet: int, early: int, late: int) -> None:
        self._at(early - 60, lambda when: self._send_dust(wallet, when))
        self._at(early, self._buy(wallet))
        self._at(late, self._sell(wallet))

    def _loop(self, wallet: int, early: int, late: int) -> None:
        self._at(early, lambda when: self._loop_over_two_pools(wallet, when))
        self._at(late, self._sell(wallet))

    # Actions.

    def _at(self, seconds: int, action: Callable[[Moment], None]) -> None:
        self.timeline.at(LAUNCH + seconds, action)

    def _buy(self, wallet: int, lamports: int = SOL) -> Callable[[Moment], None]:
        def action(when: Moment) -> None:
            swaps.buy(self.builder, self._order_of(wallet, when), lamports)

        return action

    def _sell(self, wallet: int) -> Callable[[Moment], None]:
        def action(when: Moment) -> None:
            swaps.sell(self.builder, self._order_of(wallet, when), self._held(wallet))

        return action

    def _deposit(self, wallet: int, when: Moment) -> None:
        """Put everything into an order."""
        builder, units = self.builder, self._held(wallet)
        order = self._order_account(wallet)
        builder.ledger.fund(order, 0)
        draft = builder.begin(wallet, PLAIN)
        escrow = open_associated(draft, order, self.mint, wallet)
        self._enter(draft, programs.JUPITER_TRIGGER, wallet, order)
        units_transfer(draft, self._account(wallet), escrow, wallet, units)
        draft.leave()
        self._log(ORDER_OPEN, wallet, units, builder.end(draft, when, PLAIN))

    def _fill(self, wallet: int, keeper: int, when: Moment) -> None:
        """A keeper sells what waits in the order. The wallet gets the proceeds and the
        rent of the escrow.
        """
        builder, order = self.builder, self._order_account(wallet)
        escrow = self._account(order)
        draft = builder.begin(keeper, PLAIN)
        self._enter(draft, programs.JUPITER_TRIGGER, keeper, order, wallet)
        swap = PoolSwap(builder, draft, self.curve, order)
        units, lamports = pumpfun.add_sell(swap, builder.ledger.units(escrow))
        draft.move_lamports(order, wallet, lamports)
        close_account(draft, escrow, wallet)
        draft.leave()
        position = builder.end(draft, when, PLAIN)
        self._log(ORDER_FILL, wallet, units, position, lamports=lamports)

    def _cancel(self, wallet: int, when: Moment) -> None:
        builder, order = self.builder, self._order_account(wallet)
        escrow = self._account(order)
        units = builder.ledger.units(escrow)
        draft = builder.begin(wallet, PLAIN)
        self._enter(draft, programs.JUPITER_TRIGGER, wallet, order)
        units_transfer(draft, escrow, self._account(wallet), order, units)
        close_account(draft, escrow, wallet)
        draft.leave()
        self._log(ORDER_CLOSE, wallet, units, builder.end(draft, when, PLAIN))

    def _exchange(self, wallet: int, when: Moment) -> None:
        """Sell everything and buy another token for it, in one transaction.

        Balances do not show which market took which part of the fees: the sale is worth
        what the second curve got, the purchase what the first one gave.
        """
        builder = self.builder
        first_before = self.curve.virtual_quote
        second_before = self.other_curve.virtual_quote
        draft = builder.begin(wallet, PLAIN)
        swap = PoolSwap(builder, draft, self.curve, wallet)
        units, lamports = pumpfun.add_sell(swap, self._held(wallet))
        order = Order(wallet, self.other_curve, when, PLAIN)
        fill = swaps.add_buy(builder, draft, order, lamports)
        position = builder.end(draft, when, PLAIN)
        fee = builder.network_fee_lamports(PLAIN)
        brought = self.other_curve.virtual_quote - second_before
        cost = first_before - self.curve.virtual_quote
        self._log(SELL, wallet, units, position, lamports=brought, fee=fee)
        self._log(
            BUY,
            wallet,
            fill.units,
            position,
            lamports=cost,
            mint=self.other_curve.mint,
        )

    def _sell_and_send_on(self, wallet: int, when: Moment) -> None:
        """Sell, and send most of the proceeds to a second wallet."""
        builder = self.builder
        second = builder.new_wallet(SOL)
        draft = builder.begin(wallet, PLAIN)
        swap = PoolSwap(builder, draft, self.curve, wallet)
        units, lamports = pumpfun.add_sell(swap, self._held(wallet))
        sol_transfer(draft, wallet, second, lamports * 9 // 10)
        position = builder.end(draft, when, PLAIN)
        fill = Fill(is_buy=False, units=units, quote_units=lamports)
        swaps.log_trade(builder, self._order_of(wallet, when), fill, position)

    def _buy_with_a_gift(self, wallet: int, when: Moment) -> None:
        """Buy with SOL that a friend sends in the same transaction."""
        builder = self.builder
        draft = builder.begin(wallet, PLAIN)
        signer(draft, self.friend, writable=True)
        sol_transfer(draft, self.friend, wallet, 2 * SOL)
        order = self._order_of(wallet, when)
        fill = swaps.add_buy(builder, draft, order, 2 * SOL)
        position = builder.end(draft, when, PLAIN, signers=2)
        swaps.log_trade(builder, order, fill, position, signers=2)

    def _buy_with_a_sponsor(self, wallet: int, when: Moment) -> None:
        """Buy; a sponsor pays the network fee and the rent of the token account."""
        builder = self.builder
        draft = builder.begin(self.friend, PLAIN)
        signer(draft, wallet, writable=True)
        open_associated(draft, wallet, self.mint, self.friend)
        order = self._order_of(wallet, when)
        fill = swaps.add_buy(builder, draft, order, SOL)
        position = builder.end(draft, when, PLAIN, signers=2)
        self._log(BUY, wallet, fill.units, position, lamports=fill.quote_units)

    def _borrow(self, wallet: int, when: Moment) -> None:
        """Give everything as collateral and borrow SOL."""
        builder, reserve = self.builder, self.pda["reserve"]
        units = self._held(wallet)
        draft = builder.begin(wallet, PLAIN)
        vault = open_associated(draft, reserve, self.mint, wallet)
        wrapped = open_associated(draft, wallet, builder.ledger.native, wallet)
        self._enter(draft, programs.KAMINO_LEND, wallet, reserve, data=_KAMINO_DEPOSIT)
        units_transfer(draft, self._account(wallet), vault, wallet, units)
        source = builder.accounts.associated(reserve, builder.ledger.native.account)
        units_transfer(draft, source, wrapped, reserve, SOL // 2)
        draft.leave()
        close_account(draft, wrapped, wallet)
        self._log(LOSE, wallet, units, builder.end(draft, when, PLAIN))

    def _add_liquidity(self, wallet: int, when: Moment) -> None:
        """Put everything into a pool, without a share token."""
        builder, pool = self.builder, self.pda["bins"]
        units = self._held(wallet)
        draft = builder.begin(wallet, PLAIN)
        vault = open_associated(draft, pool, self.mint, wallet)
        self._enter(
            draft, programs.METEORA_DLMM, wallet, pool, data=_DLMM_ADD_LIQUIDITY
        )
        units_transfer(draft, self._account(wallet), vault, wallet, units)
        draft.leave()
        self._log(LOSE, wallet, units, builder.end(draft, when, PLAIN))

    def _send_dust(self, wallet: int, when: Moment) -> None:
        swaps.transfer_tokens(
            self.builder, self._order_of(self.creator, when), wallet, 1_000
        )

    def _loop_over_two_pools(self, wallet: int, when: Moment) -> None:
        """Buy from the curve and sell to a pool whose vaults have two owners; a
        ten-thousandth stays.
        """
        builder = self.builder
        draft = builder.begin(wallet, PLAIN)
        fill = swaps.add_buy(builder, draft, self._order_of(wallet, when), SOL)
        rest = fill.units // 10_000
        plain_pool.add_sell(
            builder,
            draft,
            programs.SPLIT_VAULTS,
            self.split_pool,
            wallet,
            fill.units - rest,
        )
        self._log(TRANSFER_IN, wallet, rest, builder.end(draft, when, PLAIN))

    # Accounts and log.

    def _order_of(self, wallet: int, when: Moment) -> Order:
        return Order(wallet, self.curve, when, PLAIN)

    def _order_account(self, wallet: int) -> int:
        """Return the account of the wallet's order."""
        raw = self.builder.accounts.raw(wallet)
        return self.builder.accounts.derived(programs.JUPITER_TRIGGER, b"order", raw)

    def _account(self, owner: int) -> int:
        return self.builder.accounts.associated(owner, self.mint.account)

    def _held(self, wallet: int) -> int:
        return self.builder.ledger.units(self._account(wallet))

    def _enter(
        self, draft: Draft, program: str, *accounts: int, data: bytes = bytes(8)
    ) -> None:
        draft.enter(self.builder.accounts.add(program), accounts, data)

    def _log(
        self,
        kind: str,
        wallet: int,
        units: int,
        position: int,
        *,
        lamports: int = 0,
        fee: int = 0,
        mint: Mint | None = None,
    ) -> None:
        self.builder.log(
            Movement(
                kind=kind,
                wallet=wallet,
                mint=(mint or self.mint).account,
                units=units,
                quote_units=lamports,
                quote=self.builder.ledger.native.account,
                fees_lamports=fee,
                position=position,
            )
        )
