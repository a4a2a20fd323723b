"""The tokens of the world `habits`, and a pool whose two vaults have two owners."""

from simmarket.chain import plain_pool, programs, pumpfun, swaps
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.instructions import signer
from simmarket.chain.ledger import Mint
from simmarket.chain.swaps import Order
from simmarket.chain.world import Pool, Token
from simmarket.worlds.actors import SOL
from simmarket.worlds.timeline import Action


def new_curve(builder: Builder, creator: int, launch: int, symbol: str) -> Pool:
    """Add a token to the world and return its curve, which is not on the chain yet."""
    address = builder.new_mint_address()
    mint = builder.ledger.add_mint(address, programs.TOKEN, 6)
    curve = pumpfun.open_curve(builder, mint, builder.ledger.native, creator, launch)
    builder.world.tokens[address] = Token(
        mint=mint,
        symbol=symbol,
        name=f"{symbol.capitalize()} Coin",
        uri=f"https://ipfs.invalid/{symbol.lower()}",
        kind="habits",
        launched_offset_seconds=launch,
        creator=creator,
        pools=[curve],
    )
    return curve


def creation(builder: Builder, creator: int, curve: Pool) -> Action:
    """Return the creation of a token; its creator buys in the same transaction."""

    def create(when: Moment) -> None:
        draft = builder.begin(creator, PLAIN)
        signer(draft, curve.mint.account, writable=True)
        token = builder.world.tokens[builder.accounts.address(curve.mint.account)]
        pumpfun.add_creation(
            builder,
            draft,
            curve,
            sponsor=creator,
            metadata=(token.name, token.symbol, token.uri),
            unix_seconds=token.launched_offset_seconds,
        )
        order = Order(creator, curve, when, PLAIN)
        fill = swaps.add_buy(builder, draft, order, SOL)
        position = builder.end(draft, when, PLAIN, signers=2)
        swaps.log_trade(builder, order, fill, position, signers=2)

    return create


def split_pool(builder: Builder, mint: Mint, creator: int, launch: int) -> Pool:
    """Return a pool that exists before the token: nobody trades in it but a loop."""
    account, base, quote = (
        builder.accounts.derived(programs.SPLIT_VAULTS, name)
        for name in (b"pool", b"base", b"quote")
    )
    builder.ledger.fund(account, SOL)
    builder.ledger.open_before(base, mint, 10**12)
    builder.ledger.open_before(quote, builder.ledger.native, 100 * SOL)
    return plain_pool.describe(
        builder,
        mint,
        account,
        dex="raydium",
        owners=(base, quote),
        creator=creator,
        offset_seconds=launch,
    )
