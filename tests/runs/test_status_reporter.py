"""When the status reporter writes the row of a provider, and what it writes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.utils import timezone

from discovery.clients import provider_status
from discovery.clients.provider_status import (
    WRITE_SECONDS,
    StatusReporter,
    report_status,
)
from discovery.models import Provider
from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    KeyRefused,
    NotFound,
    QuotaUsedUp,
    ServerFailed,
    Unsupported,
)
from tests.runs.provider_rows import fail_to_store, row

pytestmark = pytest.mark.usefixtures("no_status_writes_yet")

SERVER_ERROR = ServerFailed("someone", "server error (HTTP 503)")


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def finish_writes(reporter: StatusReporter) -> None:
    await asyncio.gather(*reporter._writing)


@pytest.fixture
def count_writes(db: None, clock: Clock) -> Iterator[Callable[..., int]]:
    """`count_writes(work)`: run `work(reporter)`, then flush; return the number of rows
    written before the flush.
    """
    statements = []

    def record(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if (
            sql.startswith(("UPDATE", "INSERT", "DELETE"))
            and "discovery_providers" in sql
        ):
            statements.append(sql)
        return execute(sql, *rest)

    def run(
        work: Callable[[StatusReporter], Awaitable[None]], *, flush: bool = True
    ) -> int:
        async def main() -> int:
            reporter = StatusReporter(clock)
            await work(reporter)
            await finish_writes(reporter)
            count = len(statements)
            if flush:
                await reporter.flush()
            return count

        statements.clear()
        return async_to_sync(main)()

    with connection.execute_wrapper(record):
        yield run


@pytest.fixture
def existing_row(db: None) -> None:
    """A row that exists, so that each write is one statement."""
    Provider.objects.create(name="someone")


def test_a_thousand_responses_are_one_write(
    existing_row: None, count_writes: Callable
) -> None:
    async def work(reporter: StatusReporter) -> None:
        for _ in range(1000):
            reporter.request_succeeded("someone")

    assert count_writes(work) == 1
    assert row("someone").last_success_at is not None


def test_an_unchanged_state_is_written_when_the_row_is_due(
    count_writes: Callable, clock: Clock
) -> None:
    async def first(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")

    async def early(reporter: StatusReporter) -> None:
        clock.now += WRITE_SECONDS - 1
        reporter.request_succeeded("someone")

    async def due(reporter: StatusReporter) -> None:
        clock.now += 1
        reporter.request_succeeded("someone")

    count_writes(first)
    first_success_at = row("someone").last_success_at
    assert count_writes(early) == 0
    assert row("someone").last_success_at == first_success_at
    assert count_writes(due) == 1
    assert row("someone").last_success_at > first_success_at


def test_a_status_without_a_successor_is_written_when_the_row_is_due(
    count_writes: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_status, "WRITE_SECONDS", 0.05)

    async def work(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")
        await finish_writes(reporter)
        reporter.request_failed("someone", SERVER_ERROR)
        async with asyncio.timeout(
            10
        ):  # nothing else happens meanwhile: the timer alone must write
            while not await Provider.objects.exclude(last_cause="").aexists():  # noqa: ASYNC110  a row sends no event
                await asyncio.sleep(0.01)

    count_writes(work, flush=False)
    assert row("someone").last_cause == "server error (HTTP 503)"


def test_a_row_ends_with_the_last_state(count_writes: Callable) -> None:
    async def fail(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")
        reporter.request_failed("someone", SERVER_ERROR)

    async def respond(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")

    count_writes(fail)
    assert row("someone").last_failure_at > row("someone").last_success_at
    count_writes(respond)
    assert row("someone").last_failure_at < row("someone").last_success_at


@pytest.mark.parametrize(
    "error",
    [KeyRefused("someone", "the key was refused"), QuotaUsedUp("someone", "used up")],
)
def test_a_refusal_is_written_at_once_and_only_once(
    error: Any, existing_row: None, count_writes: Callable
) -> None:
    async def work(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")
        await finish_writes(reporter)
        for _ in range(100):
            reporter.request_failed("someone", error)
            await finish_writes(reporter)

    assert count_writes(work) == 2
    assert row("someone").last_cause == error.cause


def test_opening_and_closing_a_circuit_are_written_at_once(
    existing_row: None, count_writes: Callable
) -> None:
    async def open_circuit(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")
        await finish_writes(reporter)
        reporter.request_failed("someone", SERVER_ERROR)
        reporter.circuit_opened("someone", 30)

    async def close_circuit(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")
        reporter.circuit_closed("someone")

    assert count_writes(open_circuit) == 2
    remaining = row("someone").open_until - timezone.now()
    assert timedelta(seconds=25) < remaining <= timedelta(seconds=30)
    assert row("someone").last_cause == "server error (HTTP 503)"
    assert count_writes(close_circuit) == 1
    assert row("someone").open_until is None


@pytest.mark.parametrize(
    "error",
    [NotFound("someone", "not found"), Unsupported("someone", "no such method")],
)
def test_not_found_and_unsupported_count_as_a_success(
    error: Any, count_writes: Callable
) -> None:
    async def work(reporter: StatusReporter) -> None:
        reporter.request_failed("someone", error)

    count_writes(work)
    assert (
        row("someone").last_success_at is not None,
        row("someone").last_failure_at,
    ) == (True, None)


def test_a_bad_request_proves_nothing_about_the_provider(
    count_writes: Callable,
) -> None:
    async def work(reporter: StatusReporter) -> None:
        reporter.request_failed(
            "someone", BadRequest("someone", "request refused (HTTP 400)")
        )

    assert count_writes(work) == 0
    assert not Provider.objects.exists()


def test_a_long_cause_is_cut(count_writes: Callable) -> None:
    async def work(reporter: StatusReporter) -> None:
        reporter.request_failed("someone", BadPayload("someone", "x" * 1000))

    count_writes(work)
    assert row("someone").last_cause == "x" * 200


def test_the_later_time_of_two_processes_and_its_cause_stay(
    count_writes: Callable,
) -> None:
    later = timezone.now() + timedelta(minutes=1)
    Provider.objects.create(
        name="someone",
        last_success_at=later,
        last_failure_at=later,
        last_cause="the later cause",
    )

    async def work(reporter: StatusReporter) -> None:
        reporter.request_succeeded("someone")
        reporter.request_failed("someone", ServerFailed("someone", "the earlier cause"))

    count_writes(work)
    stored = row("someone")
    assert (stored.last_success_at, stored.last_failure_at, stored.last_cause) == (
        later,
        later,
        "the later cause",
    )


def test_a_failed_write_is_logged_once_and_repeated_later(
    count_writes: Callable,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, closed = provider_status._store, []
    # The connection holds the test's transaction.
    monkeypatch.setattr(provider_status, "close_connection", lambda: closed.append(1))
    monkeypatch.setattr(provider_status, "_store", fail_to_store)

    async def work(reporter: StatusReporter) -> None:
        reporter.circuit_opened("someone", 30)
        await finish_writes(reporter)
        for _ in range(100):
            reporter.request_succeeded("someone")
        await finish_writes(reporter)
        assert len(closed) == 1  # a failing database gets no query at every response
        monkeypatch.setattr(provider_status, "_store", store)
        clock.now += WRITE_SECONDS
        reporter.request_succeeded("someone")

    count_writes(work)
    assert row("someone").last_success_at is not None
    assert row("someone").open_until is not None
    (line,) = [
        record
        for record in caplog.records
        if record.name == "discovery.clients.provider_status"
    ]
    assert (line.getMessage(), line.provider, line.cause) == (
        "provider status not stored", "someone", "OperationalError",
    )  # fmt: skip


def test_pending_statuses_are_written_when_the_event_loop_ends(db: None) -> None:
    async def main() -> None:
        async with report_status() as reporter:
            reporter.request_succeeded("someone")

    async_to_sync(main)()
    assert row("someone").last_success_at is not None
