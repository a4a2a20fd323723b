"""The search asks for all pools of the tokens that it chooses: a batch has one of each."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from asgiref.sync import async_to_sync

from discovery.domain.run_errors import WarningSink
from discovery.domain.run_params import Params
from discovery.pipeline.find_tokens import TokenSearchResult, look_up, search
from discovery.providers.errors import ServerFailed
from discovery.providers.records import FeedToken, PairRecord, Rows
from tests.fake_transactions import program_account, wallet

NOW = 1_790_000_000
HOUR = 3_600
MINTS = [wallet(f"mint {number}") for number in range(3)]


def pair(
    mint: str, name: str, age_hours: int, volume_usd: int = 60_000, **values: Any
) -> PairRecord:
    usual: dict[str, Any] = {
        "mint": mint,
        "pool": program_account(name),
        "dex": "raydium",
        "quote_mint": None,
        "symbol": "PUMP",
        "name": "Pump",
        "price_usd": Decimal(1),
        "price_change_24h_pct": Decimal(300),
        "volume_24h_usd": Decimal(volume_usd),
        "liquidity_usd": Decimal(20_000),
        "market_cap_usd": None,
        "transactions_24h": 1_000,
        "pool_created_at": NOW - age_hours * HOUR,
    }
    return PairRecord(**{**usual, **values})


class DexScreener:
    """One pair of each token in a batch, all pairs of a token by itself."""

    def __init__(self, pools: dict[str, list[PairRecord]]) -> None:
        self.pools = pools
        self.asked: list[str] = []
        self.fails = False

    async def feed(self, path: str) -> Rows[FeedToken]:
        return Rows(FeedToken(mint, "feed") for mint in self.pools)

    async def pairs(self, mints: Any) -> Rows[PairRecord]:
        return Rows(self.pools[mint][0] for mint in mints)

    async def all_pairs(self, mint: str) -> Rows[PairRecord]:
        self.asked.append(mint)
        if self.fails:
            raise ServerFailed("dexscreener", "server error (HTTP 503)")
        return Rows(self.pools[mint])


async def _nothing(*_: Any) -> Rows[Any]:
    return Rows()


def providers(dexscreener: DexScreener) -> Any:
    return SimpleNamespace(
        dexscreener=dexscreener,
        dexscreener_feeds=dexscreener,
        geckoterminal=SimpleNamespace(trending=_nothing, dex_pools=_nothing),
        jupiter=SimpleNamespace(trending=_nothing, tokens=_nothing),
    )


def found(dexscreener: DexScreener, **params: Any) -> TokenSearchResult:
    return async_to_sync(search)(
        providers(dexscreener), Params(**params), NOW, WarningSink("find_tokens")
    )


def test_a_chosen_token_has_all_its_pools_and_their_volume() -> None:
    (mint, *_) = MINTS
    pools = [pair(mint, "deep", 5), pair(mint, "first", 9, 7_000, liquidity_usd=None)]
    (token,) = found(DexScreener({mint: pools})).tokens
    assert token.pools == (program_account("first"), program_account("deep"))
    assert (token.volume_24h_usd, token.transactions_24h) == (67_000, 2_000)
    assert (token.launched_at, token.launch_clock) == (NOW - 9 * HOUR, "pair")


def test_only_the_chosen_tokens_are_asked_for_all_their_pools() -> None:
    dexscreener = DexScreener(
        {
            MINTS[0]: [pair(MINTS[0], "a", 5, 90_000)],
            MINTS[1]: [pair(MINTS[1], "b", 5, 80_000)],
            MINTS[2]: [pair(MINTS[2], "c", 5, 10)],
        }
    )
    result = found(dexscreener, max_tokens=1)
    assert dexscreener.asked == [MINTS[0]]
    assert result.funnel == {
        "candidates": 3,
        "token_over_max_tokens": 1,
        "token_volume": 1,
        "tokens": 1,
    }


def test_a_new_pool_of_an_old_token_is_no_launch_and_the_next_token_takes_its_place() -> (
    None
):
    relaunched = [pair(MINTS[0], "new", 2, 90_000), pair(MINTS[0], "old", 1_000, 5)]
    dexscreener = DexScreener(
        {MINTS[0]: relaunched, MINTS[1]: [pair(MINTS[1], "b", 5, 80_000)]}
    )
    result = found(dexscreener, max_tokens=1)
    assert [token.mint for token in result.tokens] == [MINTS[1]]
    assert result.funnel == {"candidates": 2, "token_too_old": 1, "tokens": 1}


def test_pools_that_cannot_be_read_are_one_warning_and_cost_no_token() -> None:
    dexscreener = DexScreener({mint: [pair(mint, mint[:8], 5)] for mint in MINTS})
    dexscreener.fails = True
    warnings = WarningSink("find_tokens")
    result = async_to_sync(look_up)(providers(dexscreener), MINTS, warnings)
    assert len(result.tokens) == 3
    assert warnings.messages == [
        "dexscreener/token-pairs: server error (HTTP 503): further pools of 3 tokens are not known"
    ]
