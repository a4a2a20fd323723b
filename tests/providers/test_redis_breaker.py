"""One circuit breaker for all processes: two clients of the real server, and a server
that is unreachable.
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

from discovery.clients.redis_breaker import CACHE_SECONDS, RedisBreakerStore
from discovery.clients.redis_fallback import UNAVAILABLE_SECONDS
from discovery.providers.breaker import (
    FAILURE_THRESHOLD,
    FAILURE_TTL_SECONDS,
    Breaker,
    LocalBreakerStore,
)

CAUSE = "server error (HTTP 503)"


class ProcessClock:
    """The clock of a process, which limits how long it uses a cached state. The server
    has its own.
    """

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        """Sleep in real time: only that moves the server's clock."""
        await asyncio.sleep(seconds)
        self.now += seconds


def with_stores(work, *, url=None, stores=2, **options):
    """Run `work(clock, store, …)` with that many stores of one prefix, each over a
    connection pool of its own.
    """
    prefix = f"test-{uuid.uuid4().hex}"

    async def main():
        clock = ProcessClock()
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
                clock,
                *(
                    RedisBreakerStore(client, prefix, LocalBreakerStore(), clock=clock)
                    for client in clients
                ),
            )
        finally:
            for client in clients:
                await client.aclose()

    return asyncio.run(main())


async def fail(stores, *, first=30.0, maximum=300.0, times=FAILURE_THRESHOLD):
    """Record that many failures in a row, on the stores in turn; return the open time
    of each.
    """
    return [
        await record_failure(
            stores[number % len(stores)],
            f"failed {number}",
            first=first,
            maximum=maximum,
        )
        for number in range(times)
    ]


async def record_failure(store, request_id, *, first=30.0, maximum=300.0):
    return await store.record_failure(
        "someone", request_id, CAUSE, first_seconds=first, max_seconds=maximum
    )


async def wait_until_admitted(clock, store, request_id):
    """Wait as a client does until the request is admitted."""
    await Breaker("someone", store, sleep=clock.sleep).wait(request_id, 60)


def test_failures_of_two_processes_open_the_circuit_for_both():
    async def work(_, *stores):
        opened = await fail(stores)
        return opened, [
            await store.try_acquire("someone", "another") for store in stores
        ]

    opened, pauses = with_stores(work)
    assert opened == [0, 0, 0, 0, 30]
    assert [(pause.seconds, pause.cause) for pause in pauses] == [
        (pytest.approx(30, abs=5), CAUSE)
    ] * 2


def test_a_response_to_one_process_between_failures_keeps_the_circuit_closed():
    async def work(_, one, other):
        await fail([one], times=FAILURE_THRESHOLD - 1)
        assert await other.try_acquire("someone", "good") is None
        assert await other.record_success("someone", "good") is False
        return await record_failure(one, "after it"), await one.try_acquire(
            "someone", "another"
        )

    assert with_stores(work) == (0, None)


def test_a_response_to_one_process_closes_the_circuit_for_both():
    async def work(clock, one, other):
        await fail([one])
        assert await other.try_acquire("someone", "waits") is not None
        closed = [
            await one.record_success("someone", "in flight"),
            await one.record_success("someone", "another"),
        ]
        clock.now += CACHE_SECONDS
        return closed, await other.try_acquire("someone", "waits")

    assert with_stores(work) == ([True, False], None)


def test_exactly_one_request_of_all_processes_is_the_probe():
    async def work(clock, *stores):
        await fail(stores, first=0.05)
        await clock.sleep(0.06)
        pauses = await asyncio.gather(
            *(
                store.try_acquire("someone", f"{number} of {id(store)}")
                for number in range(20)
                for store in stores
            )
        )
        return sum(pause is None for pause in pauses)

    assert with_stores(work) == 1


def test_a_probe_may_retry_and_its_response_closes_the_circuit_for_both():
    async def work(clock, one, other):
        await fail([one], first=0.05)
        await wait_until_admitted(clock, one, "probe")
        again, others = (
            await one.try_acquire("someone", "probe"),
            await other.try_acquire("someone", "waits"),
        )
        closed = await one.record_success("someone", "probe")
        clock.now += CACHE_SECONDS
        return again, others.cause, closed, await other.try_acquire("someone", "waits")

    assert with_stores(work) == (None, CAUSE, True, None)


def test_failed_probes_double_the_open_time_and_late_failures_do_not():
    async def work(clock, one, other):
        opened = [(await fail([one], first=0.05, maximum=0.15))[-1]]
        for number in range(3):
            await wait_until_admitted(clock, one, f"probe {number}")
            assert await record_failure(other, "late", first=0.05, maximum=0.15) == 0
            opened.append(
                await record_failure(one, f"probe {number}", first=0.05, maximum=0.15)
            )
        return opened

    assert with_stores(work) == [0.05, 0.1, 0.15, 0.15]


def test_an_abandoned_probe_releases_its_slot_to_another_process():
    async def work(clock, one, other):
        await fail([one], first=0.05)
        await wait_until_admitted(clock, one, "probe")
        before = await other.try_acquire("someone", "another")
        await one.release("someone", "probe")
        clock.now += CACHE_SECONDS
        return before is None, await other.try_acquire("someone", "another")

    assert with_stores(work) == (False, None)


def test_each_provider_has_a_breaker_of_its_own_on_the_server():
    async def work(_, one, other):
        await fail([one])
        return await other.try_acquire("someone else", "request")

    assert with_stores(work) is None


def test_states_of_breakers_expire_on_the_server():
    async def work(clock, store):
        await fail([store], first=0.01)
        await wait_until_admitted(clock, store, "probe")
        client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
        keys = [key async for key in client.scan_iter(f"{store._prefix}:*")]
        left = [await client.pttl(key) for key in keys]
        await client.aclose()
        return left

    (left,) = with_stores(work, stores=1)
    assert 0 < left <= FAILURE_TTL_SECONDS * 1000


def test_a_healthy_provider_costs_hardly_any_call_to_the_server():
    async def work(clock, store):
        client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
        await store.try_acquire("someone", "first")
        before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
        for number in range(500):
            assert await store.try_acquire("someone", f"request {number}") is None
            assert await store.record_success("someone", f"request {number}") is False
        within = (await client.info("commandstats"))["cmdstat_evalsha"][
            "calls"
        ] - before
        clock.now += CACHE_SECONDS
        await store.try_acquire("someone", "next")
        after = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before
        await client.aclose()
        return within, after

    assert with_stores(work, stores=1) == (0, 1)


def test_without_the_server_the_process_has_a_breaker_of_its_own(unused_url, caplog):
    async def work(_, store):
        opened = await fail([store])
        pause = await store.try_acquire("someone", "another")
        return (
            opened,
            pause,
            await store.record_success("someone", "in flight"),
            await store.try_acquire("someone", "another"),
        )

    opened, pause, closed, after = with_stores(
        work, url=unused_url.replace("http", "redis"), stores=1, retry=None
    )
    assert (opened, closed, after) == ([0, 0, 0, 0, 30], True, None)
    assert pause.seconds == pytest.approx(30, abs=5)
    assert [r.getMessage() for r in caplog.records].count(
        "the shared circuit breaker is unreachable"
    ) == 1


def test_a_hanging_server_does_not_delay_every_request():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"

        async def work(_, store):
            began = time.monotonic()
            for number in range(20):
                await store.try_acquire("someone", f"request {number}")
            return time.monotonic() - began

        assert (
            with_stores(
                work, url=url, stores=1, retry=None, socket_timeout=0.2, timeout=0.5
            )
            < 2
        )


def test_a_breaker_returns_to_the_server_after_a_while(unused_url):
    async def main():
        clock = ProcessClock()
        pool = BlockingConnectionPool.from_url(unused_url.replace("http", "redis"))
        client = Redis.from_pool(pool)
        store = RedisBreakerStore(
            client, f"test-{uuid.uuid4().hex}", LocalBreakerStore(), clock=clock
        )
        await fail([store])
        pool.connection_kwargs |= parse_url(os.environ["REDIS_URL"])
        pool.reset()
        early = await store.try_acquire("someone", "request")
        clock.now += UNAVAILABLE_SECONDS
        late = await store.try_acquire("someone", "request")
        await client.aclose()
        return early is None, late is None

    assert asyncio.run(main()) == (False, True)


def test_local_and_redis_breaker_stores_have_the_same_methods():
    public = {name for name in dir(RedisBreakerStore) if not name.startswith("_")}
    assert public == {
        name for name in dir(LocalBreakerStore) if not name.startswith("_")
    }
