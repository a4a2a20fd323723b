"""One circuit breaker for all processes: two clients of the real store, and a store that is away."""

import asyncio
import os
import socket
import time
import uuid

import pytest
import redis.asyncio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url

from discovery.clients.redis_breaker import KNOWN_SECONDS, RedisBreakerStore
from discovery.clients.redis_rate_limits import AWAY_SECONDS
from discovery.providers.breaker import FORGOTTEN_SECONDS, OPENS_AFTER, Breaker, LocalBreakerStore

CAUSE = "server error (HTTP 503)"


class Moved:
    """The clock of a process: how long it believes what it knows. The server's own runs on."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        """The server's clock moves by waiting alone."""
        await asyncio.sleep(seconds)
        self.now += seconds


def with_stores(work, *, url=None, stores=2, **options):
    """Run `work(clock, store, …)` with that many stores of one name, each over a connection pool of its own."""
    prefix = f"test-{uuid.uuid4().hex}"

    async def main():
        clock = Moved()
        clients = [
            Redis.from_pool(
                BlockingConnectionPool.from_url(url or os.environ["REDIS_URL"], max_connections=4, **options)
            )
            for _ in range(stores)
        ]
        try:
            return await work(
                clock, *(RedisBreakerStore(client, prefix, LocalBreakerStore(), clock=clock) for client in clients)
            )
        finally:
            for client in clients:
                await client.aclose()

    return asyncio.run(main())


async def fail(stores, *, first=30.0, most=300.0, times=OPENS_AFTER):
    """So many failures in a row, of the stores in turn; what each opened."""
    return [
        await stores[number % len(stores)].failed("someone", f"failed {number}", CAUSE, first, most)
        for number in range(times)
    ]


async def until_asked(clock, store, question):
    """Wait as a door does until the question may be asked."""
    await Breaker("someone", store, sleep=clock.sleep).wait(question, 60)


def test_failures_of_two_clients_open_it_for_both():
    async def work(_, *stores):
        opened = await fail(stores)
        return opened, [await store.try_acquire("someone", "another") for store in stores]

    opened, pauses = with_stores(work)
    assert opened == [0, 0, 0, 0, 30]
    assert [(pause.seconds, pause.cause) for pause in pauses] == [(pytest.approx(30, abs=5), CAUSE)] * 2


def test_an_answer_to_one_client_between_failures_keeps_it_closed_for_both():
    async def work(_, one, other):
        await fail([one], times=OPENS_AFTER - 1)
        assert await other.try_acquire("someone", "good") is None
        assert await other.answered("someone", "good") is False
        return await one.failed("someone", "after it", CAUSE, 30, 300), await one.try_acquire("someone", "another")

    assert with_stores(work) == (0, None)


def test_an_answer_to_one_client_closes_it_for_both():
    async def work(clock, one, other):
        await fail([one])
        assert await other.try_acquire("someone", "waits") is not None
        closed = [await one.answered("someone", "was on its way"), await one.answered("someone", "another")]
        clock.now += KNOWN_SECONDS
        return closed, await other.try_acquire("someone", "waits")

    assert with_stores(work) == ([True, False], None)


def test_exactly_one_question_of_all_clients_is_the_probe():
    async def work(clock, *stores):
        await fail(stores, first=0.05)
        await clock.sleep(0.06)
        looks = await asyncio.gather(
            *(store.try_acquire("someone", f"{number} of {id(store)}") for number in range(20) for store in stores)
        )
        return sum(try_acquire is None for try_acquire in looks)

    assert with_stores(work) == 1


def test_a_probe_may_ask_again_and_its_answer_closes_the_breaker_for_both():
    async def work(clock, one, other):
        await fail([one], first=0.05)
        await until_asked(clock, one, "probe")
        again, others = await one.try_acquire("someone", "probe"), await other.try_acquire("someone", "waits")
        closed = await one.answered("someone", "probe")
        clock.now += KNOWN_SECONDS
        return again, others.cause, closed, await other.try_acquire("someone", "waits")

    assert with_stores(work) == (None, CAUSE, True, None)


def test_a_probe_that_fails_doubles_the_time_up_to_the_most_and_late_failures_do_not():
    async def work(clock, one, other):
        opened = [(await fail([one], first=0.05, most=0.15))[-1]]
        for number in range(3):
            await until_asked(clock, one, f"probe {number}")
            assert await other.failed("someone", "late", CAUSE, 0.05, 0.15) == 0
            opened.append(await one.failed("someone", f"probe {number}", CAUSE, 0.05, 0.15))
        return opened

    assert with_stores(work) == [0.05, 0.1, 0.15, 0.15]


def test_a_probe_given_up_leaves_its_place_to_another_client():
    async def work(clock, one, other):
        await fail([one], first=0.05)
        await until_asked(clock, one, "probe")
        before = await other.try_acquire("someone", "another")
        await one.release("someone", "probe")
        clock.now += KNOWN_SECONDS
        return before is None, await other.try_acquire("someone", "another")

    assert with_stores(work) == (False, None)


def test_providers_have_breakers_of_their_own_in_the_store():
    async def work(_, one, other):
        await fail([one])
        return await other.try_acquire("someone else", "question")

    assert with_stores(work) is None


def test_what_the_store_keeps_is_forgotten_by_itself():
    async def work(clock, store):
        await fail([store], first=0.01)
        await until_asked(clock, store, "probe")
        client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
        keys = [key async for key in client.scan_iter(f"{store._prefix}:*")]
        left = [await client.pttl(key) for key in keys]
        await client.aclose()
        return left

    (left,) = with_stores(work, stores=1)
    assert 0 < left <= FORGOTTEN_SECONDS * 1000


def test_while_all_is_well_the_server_is_hardly_asked():
    async def work(clock, store):
        client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
        await store.try_acquire("someone", "first")
        before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
        for number in range(500):
            assert await store.try_acquire("someone", f"question {number}") is None
            assert await store.answered("someone", f"question {number}") is False
        within = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before
        clock.now += KNOWN_SECONDS
        await store.try_acquire("someone", "next")
        after = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before
        await client.aclose()
        return within, after

    assert with_stores(work, stores=1) == (0, 1)


def test_without_the_server_this_process_has_a_breaker_of_its_own(unused_url, caplog):
    async def work(_, store):
        opened = await fail([store])
        pause = await store.try_acquire("someone", "another")
        return (
            opened,
            pause,
            await store.answered("someone", "on its way"),
            await store.try_acquire("someone", "another"),
        )

    opened, pause, closed, after = with_stores(work, url=unused_url.replace("http", "redis"), stores=1, retry=None)
    assert (opened, closed, after) == ([0, 0, 0, 0, 30], True, None)
    assert pause.seconds == pytest.approx(30, abs=5)
    assert [r.getMessage() for r in caplog.records].count("the shared circuit breaker is out of reach") == 1


def test_a_server_that_hangs_is_not_waited_for_at_every_look():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"

        async def work(_, store):
            began = time.monotonic()
            for number in range(20):
                await store.try_acquire("someone", f"question {number}")
            return time.monotonic() - began

        assert with_stores(work, url=url, stores=1, retry=None, socket_timeout=0.2, timeout=0.5) < 2


def test_the_server_is_asked_again_after_a_while_and_found(unused_url):
    async def main():
        clock = Moved()
        pool = BlockingConnectionPool.from_url(unused_url.replace("http", "redis"))
        client = Redis.from_pool(pool)
        store = RedisBreakerStore(client, f"test-{uuid.uuid4().hex}", LocalBreakerStore(), clock=clock)
        await fail([store])
        pool.connection_kwargs |= parse_url(os.environ["REDIS_URL"])
        pool.reset()
        early = await store.try_acquire("someone", "question")
        clock.now += AWAY_SECONDS
        late = await store.try_acquire("someone", "question")
        await client.aclose()
        return early is None, late is None

    assert asyncio.run(main()) == (False, True)


def test_local_and_shared_store_offer_the_same():
    public = {name for name in dir(RedisBreakerStore) if not name.startswith("_")}
    assert public == {name for name in dir(LocalBreakerStore) if not name.startswith("_")}
