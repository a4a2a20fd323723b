"""A world that happens while it is served: every endpoint answers as it would in a world
that was built only up to that moment.
"""

import json

import pytest

from simmarket.api.http_messages import Request
from simmarket.api.market import END_BEFORE_START_SECONDS, Market, Options
from simmarket.api.server import Router
from simmarket.chain.playback import Playback
from tests.simmarket.living import (
    DAY,
    HOUR,
    FixedClock,
    build,
    cut_off_at,
    quiet_moment,
)

ORIGIN = 1_790_000_040  # a full minute
MOMENTS = [100, 7 * HOUR, DAY + 9 * HOUR, 2 * DAY + 20 * HOUR]
GECKO = "/geckoterminal/networks/solana"
LISTS = [
    "/dexscreener/latest/dex/search?q=pump",
    "/dexscreener/latest/dex/search?q=run",
    "/dexscreener/token-profiles/latest/v1",
    "/dexscreener/token-boosts/latest/v1",
    "/dexscreener/token-boosts/top/v1",
    *(f"{GECKO}/trending_pools?duration={each}" for each in ("5m", "1h", "6h", "24h")),
    *(
        f"{GECKO}/{kind}?page={page}"
        for kind in ("new_pools", "pools")
        for page in "123"
    ),
    *(f"{GECKO}/dexes/{dex}/pools" for dex in ("pump-fun", "pumpswap")),
    "/jupiter/tokens/v2/recent",
    "/jupiter/tokens/v2/toptraded/24h?limit=100",
    "/jupiter/tokens/v2/toptrending/1h?limit=100",
    "/jupiter/tokens/v2/search?query=pump",
    "/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&limit=5",
    "/prices/api/v3/klines?symbol=SOLUSDT&interval=1h&limit=5",
]


class Service:
    """The providers over a world, without a network."""

    def __init__(self, world, clock):
        self.market = Market(world, Options(calls_per_second=10**9), clock)
        self._router = Router(self.market)

    def get(self, path):
        path, _, query = path.partition("?")
        values = dict(part.split("=") for part in query.split("&")) if query else {}
        return self._body(Request("GET", path, values, {}, b""))

    def rpc(self, method, *params, provider="rpc"):
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        query = {"api-key": "key"} if provider == "helius" else {}
        body = json.dumps(call).encode()
        answer = self._body(Request("POST", f"/{provider}", query, {}, body))
        return answer.get("result", answer.get("error"))

    def _body(self, request):
        response = self._router.handle(request)
        assert response.status in {200, 404}, response
        return json.loads(response.body)


def batched(items, size):
    """Return lists of at most `size` items."""
    rest = list(items)
    return [rest[start : start + size] for start in range(0, len(rest), size)]


@pytest.fixture(scope="module")
def world():
    return build()


@pytest.fixture(scope="module", params=MOMENTS)
def moment(request, world):
    return quiet_moment(world, request.param)


@pytest.fixture(scope="module")
def growing(world, moment):
    """The whole world, served at a moment."""
    return Service(world, FixedClock(ORIGIN, moment))


@pytest.fixture(scope="module")
def ended(moment):
    """A world that was built only up to the moment."""
    late_start = END_BEFORE_START_SECONDS
    clock = FixedClock(ORIGIN + late_start, moment - late_start)
    return Service(cut_off_at(moment), clock)


@pytest.fixture(scope="module")
def wallets(world):
    return [world.accounts.address(wallet) for wallet in sorted(world.wallets)]


@pytest.fixture(scope="module")
def pools(world):
    pools = [pool for token in world.tokens.values() for pool in token.pools]
    return [world.accounts.address(pool.account) for pool in pools]


@pytest.fixture(scope="module")
def addresses(world):
    """Every account that ever occurs."""
    accounts = {
        key for transaction in world.transactions for key in transaction.all_keys
    }
    return [world.accounts.address(account) for account in sorted(accounts)]


def test_both_serve_the_same_moment(growing, ended, moment):
    assert growing.rpc("getSlot") == ended.rpc("getSlot")
    assert growing.market.unix(moment) == ended.market.unix(moment) == ORIGIN + moment


def test_some_of_the_world_is_still_to_come(growing, world):
    served = growing.market.world
    assert 0 < len(served.transactions) < len(world.transactions)
    assert 0 < len(served.tokens) < len(world.tokens)


@pytest.mark.parametrize("path", LISTS)
def test_lists_and_prices_are_those_of_the_moment(growing, ended, path):
    assert growing.get(path) == ended.get(path)


@pytest.mark.parametrize(
    "path",
    [
        "/dexscreener/tokens/v1/solana/{}",
        "/dexscreener/latest/dex/tokens/{}",
        f"{GECKO}/tokens/multi/{{}}?include=top_pools",
        "/jupiter/tokens/v2/search?query={}",
        "/jupiter/price/v3?ids={}",
    ],
)
def test_tokens_have_the_figures_of_the_moment(growing, ended, world, path):
    for mints in batched(world.tokens, 25):
        question = path.format(",".join(mints))
        assert growing.get(question) == ended.get(question)


def test_pairs_and_pools_of_a_token_are_those_of_the_moment(growing, ended, world):
    for mint in world.tokens:
        for path in (
            f"/dexscreener/token-pairs/v1/solana/{mint}",
            f"{GECKO}/tokens/{mint}",
            f"{GECKO}/tokens/{mint}/pools",
        ):
            assert growing.get(path) == ended.get(path)


def test_pools_have_the_figures_of_the_moment(growing, ended, pools):
    for group in batched(pools, 30):
        for path in ("/dexscreener/latest/dex/pairs/solana", f"{GECKO}/pools/multi"):
            question = f"{path}/{','.join(group)}"
            assert growing.get(question) == ended.get(question)


@pytest.mark.parametrize(
    "query", ["minute?limit=100", "hour?limit=100", "day?include_empty_intervals=true"]
)
def test_candles_end_with_the_moment(growing, ended, pools, query):
    for pool in pools:
        path = f"{GECKO}/pools/{pool}/ohlcv/{query}"
        assert growing.get(path) == ended.get(path)


def test_signatures_of_wallets_and_pools_end_with_the_moment(
    growing, ended, wallets, pools
):
    for address in [*wallets, *pools]:
        rows = growing.rpc("getSignaturesForAddress", address)
        assert rows == ended.rpc("getSignaturesForAddress", address)
        if rows:
            options = {"until": rows[len(rows) // 2]["signature"]}
            newer = growing.rpc("getSignaturesForAddress", address, options)
            assert newer == rows[: len(rows) // 2]


@pytest.mark.parametrize("mode", ["none", "balanceChanged", "all"])
def test_helius_shows_the_transactions_up_to_the_moment(growing, ended, wallets, mode):
    config = {"filters": {"tokenAccounts": mode}, "limit": 1000}
    for address in wallets:
        question = ("getTransactionsForAddress", address, config)
        growing_rows = growing.rpc(*question, provider="helius")
        assert growing_rows == ended.rpc(*question, provider="helius")


def test_transactions_of_the_future_do_not_exist_yet(growing, ended, world):
    served = len(growing.market.world.transactions)
    options = {"maxSupportedTransactionVersion": 1}
    near = world.transactions[served - 150 : served + 150]
    results = [growing.rpc("getTransaction", each.signature, options) for each in near]
    assert [result is None for result in results] == [False] * 150 + [True] * 150
    assert results == [
        ended.rpc("getTransaction", each.signature, options) for each in near
    ]


def test_blocks_and_their_times_are_those_of_the_moment(growing, ended, world):
    newest = growing.rpc("getSlot")
    options = {"transactionDetails": "signatures", "rewards": False}
    served = len(growing.market.world.transactions)
    slots = {each.slot for each in world.transactions[served - 60 : served + 60]}
    for slot in sorted(slots | {newest - 1, newest, newest + 1}):
        assert growing.rpc("getBlock", slot, options) == ended.rpc(
            "getBlock", slot, options
        )
        assert growing.rpc("getBlockTime", slot) == ended.rpc("getBlockTime", slot)
    blocks = growing.rpc("getBlocks", newest - 3_000)
    assert blocks == ended.rpc("getBlocks", newest - 3_000)


@pytest.mark.parametrize("encoding", ["base64", "jsonParsed"])
def test_every_account_has_the_state_of_the_moment(growing, ended, addresses, encoding):
    for group in batched(addresses, 100):
        question = ("getMultipleAccounts", list(group), {"encoding": encoding})
        assert growing.rpc(*question) == ended.rpc(*question)


def test_token_accounts_and_balances_of_wallets_are_those_of_the_moment(
    growing, ended, wallets
):
    programs = (
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
    )
    for wallet in wallets:
        assert growing.rpc("getBalance", wallet) == ended.rpc("getBalance", wallet)
        for program in programs:
            question = (
                "getTokenAccountsByOwner",
                wallet,
                {"programId": program},
                {"encoding": "jsonParsed"},
            )
            assert by_address(growing.rpc(*question)) == by_address(
                ended.rpc(*question)
            )


def by_address(result):
    return sorted(result["value"], key=lambda row: row["pubkey"])


@pytest.mark.parametrize("method", ["getTokenSupply", "getTokenLargestAccounts"])
def test_mints_and_their_holders_are_those_of_the_moment(growing, ended, world, method):
    for mint in world.tokens:
        assert growing.rpc(method, mint) == ended.rpc(method, mint)


def test_nothing_of_it_was_not_understood(growing):
    assert growing.get("/__sim__/stats")["unhandled"] == []


def test_a_service_that_moves_on_answers_as_one_that_starts_there(world, wallets):
    clock = FixedClock(ORIGIN)
    moving = Service(world, clock)
    for moment in (quiet_moment(world, each) for each in MOMENTS):
        clock.offset_seconds = moment
        starting = Service(world, FixedClock(ORIGIN, moment))
        for path in LISTS:
            assert moving.get(path) == starting.get(path)
        for wallet in wallets[::7]:
            config = {"filters": {"tokenAccounts": "balanceChanged"}}
            question = ("getTransactionsForAddress", wallet, config)
            assert moving.rpc(*question, provider="helius") == starting.rpc(
                *question, provider="helius"
            )


def test_a_clock_that_is_set_back_does_not_undo_what_happened(world):
    clock = FixedClock(ORIGIN, DAY)
    service = Service(world, clock)
    slot, count = service.rpc("getSlot"), len(service.market.world.transactions)
    clock.offset_seconds = HOUR
    assert service.rpc("getSlot") == slot
    assert len(service.market.world.transactions) == count


def test_a_world_that_has_wholly_happened_is_the_finished_one(world):
    playback = Playback(world)
    playback.advance_to(world.transactions[-1].offset_seconds + 1)
    grown = playback.world
    assert grown.transactions == world.transactions
    assert grown.tokens == world.tokens
    assert grown.ledger.tokens == world.ledger.tokens
    assert grown.ledger.mints == world.ledger.mints
    assert without_zeros(grown.ledger.lamports) == without_zeros(world.ledger.lamports)


def without_zeros(lamports):
    return {account: amount for account, amount in lamports.items() if amount}


def test_two_services_share_a_world_without_disturbing_each_other(world):
    early = Service(world, FixedClock(ORIGIN, 100))
    before = early.get(LISTS[0])
    Service(world, FixedClock(ORIGIN, 2 * DAY))
    assert early.get(LISTS[0]) == before
