"""One rate limit for all processes: two clients of the real server, and a server that
is unreachable.
"""

import asyncio
import os
import socket
import time
import uuid

import pytest
import redis.asyncio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url

from discovery.clients.redis_fallback import UNAVAILABLE_SECONDS
from discovery.clients.redis_rate_limits import RedisRateLimitStore
from discovery.providers.limits import LocalRateLimitStore


def with_stores(work, *, url=None, stores=2, **options):
    """Run `work(store, …)` with that many stores of one prefix, each over a connection
    pool of its own.
    """
    prefix = f"test-{uuid.uuid4().hex}"

    async def main():
        clients = [
            Redis.from_pool(
                BlockingConnectionPool.from_url(
                    url or os.environ["REDIS_URL"], max_connections=4, **options
                )
            )
            for _ in range(stores)
        ]
        try:
            return await work(
                *(RedisRateLimitStore(client, prefix) for client in clients)
            )
        finally:
            for client in clients:
                await client.aclose()

    return asyncio.run(main())


def test_two_processes_share_one_rate_limit():
    async def work(one, other):
        began = time.monotonic()
        return [
            time.monotonic() - began + await store.reserve("someone", 100)
            for store in (one, other) * 3
        ]

    assert with_stores(work) == pytest.approx([0, 100, 200, 300, 400, 500], abs=10)


def test_a_429_of_one_process_pauses_and_slows_the_other():
    async def work(one, other):
        await one.slow_down("someone", 300)
        first = await other.reserve("someone", 100)
        return (
            first,
            await other.reserve("someone", 100) - first,
            await other.pause_left("someone"),
        )

    first, gap, left = with_stores(work)
    assert first == pytest.approx(300, abs=10)
    assert gap == pytest.approx(200, abs=10)
    assert left == pytest.approx(300, abs=10)


def test_many_429s_of_both_processes_halve_the_rate_once():
    async def work(one, other):
        for store in (one, other) * 10:
            await store.slow_down("someone", 300)
        first = await one.reserve("someone", 100)
        return await one.reserve("someone", 100) - first

    assert with_stores(work) == pytest.approx(200, abs=10)


def test_providers_do_not_slow_each_other_on_the_server():
    async def work(one, other):
        await one.slow_down("someone", 300)
        return await other.reserve("someone else", 1), await other.pause_left(
            "someone else"
        )

    assert with_stores(work) == (0, 0)


def test_rate_limits_expire_on_the_server():
    async def work(store):
        await store.reserve("someone", 5)
        await store.slow_down("someone", 5)
        client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
        keys = [key async for key in client.scan_iter(f"{store._prefix}:*")]
        left = [await client.pttl(key) for key in keys]
        await client.aclose()
        return left

    left = with_stores(work, stores=1)
    assert len(left) == 2
    assert all(0 < milliseconds <= 700_000 for milliseconds in left)


def test_without_the_server_the_process_has_a_rate_limit_of_its_own(unused_url, caplog):
    async def work(store):
        return [await store.reserve("someone", 100) for _ in range(3)]

    url = unused_url.replace("http", "redis")
    assert with_stores(work, url=url, stores=1, retry=None) == pytest.approx(
        [0, 100, 200], abs=10
    )
    assert [record.message for record in caplog.records].count(
        "the shared rate limit is unreachable"
    ) == 1


def test_a_429_without_the_server_slows_the_process(unused_url):
    async def work(store):
        await store.slow_down("someone", 300)
        return await store.reserve("someone", 100), await store.pause_left("someone")

    assert with_stores(
        work, url=unused_url.replace("http", "redis"), stores=1
    ) == pytest.approx((300, 300), abs=10)


def test_a_hanging_server_does_not_delay_every_call():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"

        async def work(store):
            began = time.monotonic()
            await asyncio.gather(*(store.reserve("someone", 0) for _ in range(20)))
            for _ in range(20):
                await store.reserve("someone", 0)
            return time.monotonic() - began

        assert with_stores(work, url=url, stores=1, socket_timeout=0.2, timeout=0.5) < 2


def test_a_rate_limit_returns_to_the_server_after_a_while(unused_url):
    now = [1000.0]

    async def main():
        pool = BlockingConnectionPool.from_url(unused_url.replace("http", "redis"))
        client = Redis.from_pool(pool)
        store = RedisRateLimitStore(
            client, f"test-{uuid.uuid4().hex}", clock=lambda: now[0]
        )
        await store.slow_down("someone", 300)
        pool.connection_kwargs |= parse_url(os.environ["REDIS_URL"])
        pool.reset()
        early = await store.reserve("someone", 100)
        now[0] += UNAVAILABLE_SECONDS
        late = await store.reserve("someone", 100)
        await client.aclose()
        return early, late

    assert asyncio.run(main()) == (pytest.approx(300, abs=10), 0)


def test_the_local_store_has_all_methods_of_the_redis_store():
    public = {name for name in dir(RedisRateLimitStore) if not name.startswith("_")}
    assert public <= {
        name for name in dir(LocalRateLimitStore) if not name.startswith("_")
    }
