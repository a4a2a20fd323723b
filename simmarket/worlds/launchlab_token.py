"""A token on LaunchLab: its creator buys first and sells with profit after others have
bought.
"""

from dataclasses import dataclass

from simmarket.chain import plain_pool, programs, swaps
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.instructions import (
    create_account,
    init_mint,
    mint_to,
    open_associated,
    signer,
)
from simmarket.chain.ledger import Mint
from simmarket.chain.swaps import Fill, Order
from simmarket.chain.world import Pool, Token
from simmarket.worlds.actors import SOL
from simmarket.worlds.timeline import Timeline

_INITIALIZE = bytes((175, 175, 109, 31, 13, 152, 155, 237))
_SUPPLY = 10**15
_VIRTUAL_LAMPORTS = 30 * SOL


def plan_launchlab_token(builder: Builder, timeline: Timeline, launch: int) -> None:
    """Plan the token's life from its `launch` in offset seconds."""
    creator, crowd = builder.new_wallet(100 * SOL), builder.new_wallet(500 * SOL)
    builder.world.wallets |= {creator, crowd}
    builder.world.behaviours[builder.accounts.address(creator)] = ["creator"]
    market = _market(builder, creator, launch)
    timeline.at(launch, market.create)
    timeline.at(launch + 30, lambda when: market.buy(creator, SOL, when))
    for number in range(20):
        timeline.at(
            launch + 60 + 20 * number, lambda when: market.buy(crowd, 2 * SOL, when)
        )
    timeline.at(launch + 3_600, market.sell_all)


def _market(builder: Builder, creator: int, launch: int) -> "_Market":
    """Return the token and its pool, which are not on the chain yet."""
    accounts = builder.accounts
    address = builder.new_mint_address()
    mint = builder.ledger.add_mint(address, programs.TOKEN, 6)
    authority = accounts.add(programs.LAUNCHLAB_AUTHORITY)
    builder.ledger.fund(authority, SOL)
    pool = plain_pool.describe(
        builder,
        mint,
        accounts.derived(programs.LAUNCHLAB, b"pool", accounts.raw(mint.account)),
        dex="launchlab",
        owners=(authority, authority),
        creator=creator,
        offset_seconds=launch,
    )
    pool.virtual_quote = _VIRTUAL_LAMPORTS
    pool.opening_quote, pool.opening_base = _VIRTUAL_LAMPORTS, _SUPPLY
    builder.world.tokens[address] = Token(
        mint=mint,
        symbol="LAUNCH",
        name="Launch Coin",
        uri="https://ipfs.invalid/launch",
        kind="habits",
        launched_offset_seconds=launch,
        creator=creator,
        pools=[pool],
    )
    return _Market(builder, mint, pool, creator, authority)


@dataclass(slots=True)
class _Market:
    """The token's pool and those who trade in it."""

    builder: Builder
    mint: Mint
    pool: Pool
    creator: int
    authority: int

    def create(self, when: Moment) -> None:
        """Create mint and pool. Accounts of the instruction: payer, creator, global and
        platform configuration, authority, pool, mint, quote mint.
        """
        builder, creator, mint, pool = (
            self.builder,
            self.creator,
            self.mint,
            self.pool,
        )
        add = builder.accounts.add
        draft = builder.begin(creator, PLAIN)
        signer(draft, mint.account, writable=True)
        keys = (
            creator,
            creator,
            add(programs.SYSTEM),
            add(programs.METADATA),
            self.authority,
            pool.account,
            mint.account,
            pool.quote.account,
        )
        draft.enter(add(programs.LAUNCHLAB), keys, _INITIALIZE)
        create_account(
            draft,
            creator,
            mint.account,
            lamports=1_461_600,
            space=82,
            owner=mint.program,
        )
        init_mint(draft, mint, self.authority)
        create_account(
            draft,
            creator,
            pool.account,
            lamports=3_000_000,
            space=429,
            owner=programs.LAUNCHLAB,
        )
        open_associated(draft, self.authority, mint, creator)
        open_associated(draft, self.authority, pool.quote, creator)
        mint_to(draft, pool.base_vault, self.authority, _SUPPLY)
        draft.leave()
        builder.end(draft, when, PLAIN, signers=2)

    def buy(self, wallet: int, lamports: int, when: Moment) -> None:
        """Buy for so many lamports."""
        draft = self.builder.begin(wallet, PLAIN)
        units = plain_pool.add_buy(
            self.builder, draft, programs.LAUNCHLAB, self.pool, wallet, lamports
        )
        position = self.builder.end(draft, when, PLAIN)
        fill = Fill(is_buy=True, units=units, quote_units=lamports)
        order = Order(wallet, self.pool, when, PLAIN)
        swaps.log_trade(self.builder, order, fill, position)

    def sell_all(self, when: Moment) -> None:
        """Sell everything that the creator has."""
        builder = self.builder
        base = builder.accounts.associated(self.creator, self.mint.account)
        units = builder.ledger.units(base)
        draft = builder.begin(self.creator, PLAIN)
        lamports = plain_pool.add_sell(
            builder, draft, programs.LAUNCHLAB, self.pool, self.creator, units
        )
        position = builder.end(draft, when, PLAIN)
        fill = Fill(is_buy=False, units=units, quote_units=lamports)
        order = Order(self.creator, self.pool, when, PLAIN)
        swaps.log_trade(builder, order, fill, position)
