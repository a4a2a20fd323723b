"""What a run says of its providers in their rows: the last answer, the last failure with its cause, and until when."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from discovery.clients import provider_status
from discovery.clients.provider_status import WRITE_SECONDS, StatusReporter, report_status
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

WORLD = ("--world", "small", "--seed", "2")
ASKED = {"dexscreener", "geckoterminal", "jupiter", "helius", "prices"}


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just started."""
    monkeypatch.setattr(provider_status, "_told", {})


def row(name: str) -> Provider:
    return Provider.objects.get(pk=name)


class Clock:
    """Moves when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signs_of(db: None, clock: Clock) -> Iterator[Callable[..., int]]:
    """`signs_of(work)`: run `work(signs)` to its end, settled; how many rows were written while it ran."""
    written = []

    def count(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(("UPDATE", "INSERT", "DELETE")) and "discovery_providers" in sql:
            written.append(sql)
        return execute(sql, *rest)

    def run(work: Callable[[StatusReporter], Awaitable[None]], *, settled: bool = True) -> int:
        async def main() -> int:
            signs = StatusReporter(clock)
            await work(signs)
            await asyncio.gather(*signs._writing)
            count = len(written)
            if settled:
                await signs.settle()
            return count

        written.clear()
        from asgiref.sync import async_to_sync

        return async_to_sync(main)()

    with connection.execute_wrapper(count):
        yield run


def test_a_run_tells_the_last_answer_of_every_provider_it_asked(use_market: Callable, discover: Callable) -> None:
    use_market(*WORLD)
    began = timezone.now()
    answer = discover("--max-tokens=3", profiles=True)
    assert (answer["status"], answer["errors"]) == ("completed", [])
    rows = {row.name: row for row in Provider.objects.all()}
    assert set(rows) == ASKED
    for name, seen in rows.items():
        assert began <= seen.last_success_at <= timezone.now(), name
        assert (seen.last_failure_at, seen.last_cause, seen.open_until) == (None, "", None), name


def test_a_source_of_tokens_that_is_down_is_told_with_its_cause_and_until_when_it_is_left_alone(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 2)
    market = use_market(*WORLD)
    market.fault("geckoterminal", "503", count=10**6)
    answer = discover("--max-tokens=3")
    assert answer["status"] == "completed"
    assert {error["step"] for error in answer["errors"]} == {"find_tokens"}
    assert all(error["message"].startswith("geckoterminal/") for error in answer["errors"])
    down = row("geckoterminal")
    assert (down.last_success_at, down.last_cause) == (None, "server error (HTTP 503)")
    # Half of the patience of a question, or that doubled by a probe that failed.
    open_for = (down.open_until - down.last_failure_at).total_seconds()
    half = settings.PROVIDER_PATIENCE_SECONDS / 2
    assert open_for == pytest.approx(half, abs=1.5) or open_for == pytest.approx(2 * half, abs=1.5)
    others = Provider.objects.filter(open_until=None, last_failure_at=None)
    assert {seen.name for seen in others} == {"dexscreener", "jupiter", "helius"}


def test_a_provider_that_answers_again_is_told_to(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD)
    settings.PROVIDER_PATIENCE_SECONDS = 2
    market.fault("geckoterminal", "503", count=10**6)
    discover("--max-tokens=1")
    assert row("geckoterminal").open_until is not None
    market.clear_faults()
    answer = discover("--max-tokens=1")
    assert (answer["status"], answer["errors"]) == ("completed", [])  # it waited for the breaker, and was answered
    again = row("geckoterminal")
    assert again.open_until is None
    assert again.last_success_at > again.last_failure_at
    assert again.last_cause == "server error (HTTP 503)"


def test_a_refused_key_is_told_as_the_cause_and_the_run_goes_on_without_it(
    use_market: Callable, discover: Callable, settings: Any
) -> None:
    use_market(*WORLD)
    settings.HELIUS_API_KEY = "bad-5ecret-key"
    answer = discover("--max-tokens=1")
    assert answer["status"] == "completed"
    refused = row("helius")
    assert refused.last_success_at is None
    assert "refused" in refused.last_cause
    assert "key" in refused.last_cause
    assert "5ecret" not in refused.last_cause
    assert row("solana_rpc").last_success_at is not None


def test_a_provider_whose_key_was_taken_out_is_no_trouble_any_more(
    use_market: Callable, discover: Callable, settings: Any
) -> None:
    use_market(*WORLD, source="solana_rpc")
    Provider.objects.create(name="helius", last_failure_at=timezone.now(), last_cause="the key was refused")
    assert discover("--max-tokens=1")["status"] == "completed"
    assert not Provider.objects.filter(pk="helius").exists()


@pytest.fixture
def known(db: None) -> None:
    """A row that is there, so that each write is one statement."""
    Provider.objects.create(name="someone")


def test_a_thousand_answers_are_one_write(known: None, signs_of: Callable) -> None:
    async def work(signs: StatusReporter) -> None:
        for _ in range(1000):
            signs.answered("someone")

    assert signs_of(work) == 1
    assert row("someone").last_success_at is not None


def test_what_changes_nothing_waits_for_its_time(signs_of: Callable, clock: Clock) -> None:
    async def first(signs: StatusReporter) -> None:
        signs.answered("someone")

    async def more(signs: StatusReporter) -> None:
        clock.now += WRITE_SECONDS - 1
        signs.answered("someone")

    async def late(signs: StatusReporter) -> None:
        clock.now += 1
        signs.answered("someone")

    signs_of(first)
    then = row("someone").last_success_at
    assert signs_of(more) == 0
    assert row("someone").last_success_at == then
    assert signs_of(late) == 1
    assert row("someone").last_success_at > then


def test_a_sign_that_nobody_follows_is_written_when_its_time_has_come(
    signs_of: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_status, "WRITE_SECONDS", 0.05)

    async def work(signs: StatusReporter) -> None:
        signs.answered("someone")
        await asyncio.gather(*signs._writing)
        signs.failed("someone", ServerFailed("someone", "server error (HTTP 503)"))
        async with asyncio.timeout(10):  # nothing else happens meanwhile: that is what is tested
            while not await Provider.objects.exclude(last_cause="").aexists():  # noqa: ASYNC110  a row tells nobody
                await asyncio.sleep(0.01)

    signs_of(work, settled=False)
    assert row("someone").last_cause == "server error (HTTP 503)"


def test_a_row_never_ends_with_the_opposite_of_what_was_seen_last(signs_of: Callable) -> None:
    async def fails(signs: StatusReporter) -> None:
        signs.answered("someone")
        signs.failed("someone", ServerFailed("someone", "server error (HTTP 503)"))

    async def answers(signs: StatusReporter) -> None:
        signs.answered("someone")

    signs_of(fails)
    assert row("someone").last_failure_at > row("someone").last_success_at
    signs_of(answers)
    assert row("someone").last_failure_at < row("someone").last_success_at


@pytest.mark.parametrize("error", [KeyRefused("someone", "the key was refused"), QuotaUsedUp("someone", "used up")])
def test_a_refusal_is_written_at_once_and_once(error: Any, known: None, signs_of: Callable) -> None:
    async def work(signs: StatusReporter) -> None:
        signs.answered("someone")
        await asyncio.gather(*signs._writing)
        for _ in range(100):
            signs.failed("someone", error)
            await asyncio.gather(*signs._writing)

    assert signs_of(work) == 2
    assert row("someone").last_cause == error.cause


def test_an_opening_and_its_end_are_written_at_once(known: None, signs_of: Callable) -> None:
    async def opens(signs: StatusReporter) -> None:
        signs.answered("someone")
        await asyncio.gather(*signs._writing)
        signs.failed("someone", ServerFailed("someone", "server error (HTTP 503)"))
        signs.opened("someone", 30)

    async def closes(signs: StatusReporter) -> None:
        signs.answered("someone")
        signs.closed("someone")

    assert signs_of(opens) == 2
    left = row("someone").open_until - timezone.now()
    assert timedelta(seconds=25) < left <= timedelta(seconds=30)
    assert row("someone").last_cause == "server error (HTTP 503)"
    assert signs_of(closes) == 1
    assert row("someone").open_until is None


@pytest.mark.parametrize("error", [NotFound("someone", "not found"), Unsupported("someone", "no such method")])
def test_an_answer_that_there_is_no_such_thing_is_an_answer(error: Any, signs_of: Callable) -> None:
    async def work(signs: StatusReporter) -> None:
        signs.failed("someone", error)

    signs_of(work)
    assert (row("someone").last_success_at is not None, row("someone").last_failure_at) == (True, None)


def test_a_question_of_ours_that_was_wrong_says_nothing_of_the_provider(signs_of: Callable) -> None:
    async def work(signs: StatusReporter) -> None:
        signs.failed("someone", BadRequest("someone", "question refused (HTTP 400)"))

    assert signs_of(work) == 0
    assert not Provider.objects.exists()


def test_a_cause_of_any_length_fits(signs_of: Callable) -> None:
    async def work(signs: StatusReporter) -> None:
        signs.failed("someone", BadPayload("someone", "x" * 1000))

    signs_of(work)
    assert row("someone").last_cause == "x" * 200


def test_of_two_processes_the_later_moment_and_its_cause_stand(signs_of: Callable) -> None:
    later = timezone.now() + timedelta(minutes=1)
    Provider.objects.create(name="someone", last_success_at=later, last_failure_at=later, last_cause="the later cause")

    async def work(signs: StatusReporter) -> None:
        signs.answered("someone")
        signs.failed("someone", ServerFailed("someone", "the earlier cause"))

    signs_of(work)
    kept = row("someone")
    assert (kept.last_success_at, kept.last_failure_at, kept.last_cause) == (later, later, "the later cause")


def test_trouble_with_the_database_is_logged_and_the_sign_told_later(
    signs_of: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, closed = provider_status._store, []

    def broken(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(provider_status, "hang_up", lambda: closed.append(1))  # the test's transaction is there
    monkeypatch.setattr(provider_status, "_store", broken)

    async def work(signs: StatusReporter) -> None:
        signs.opened("someone", 30)
        await asyncio.gather(*signs._writing)
        for _ in range(100):
            signs.answered("someone")
        await asyncio.gather(*signs._writing)
        assert len(closed) == 1  # a database in trouble is not asked at every answer
        monkeypatch.setattr(provider_status, "_store", store)
        clock.now += WRITE_SECONDS
        signs.answered("someone")

    signs_of(work)
    assert row("someone").last_success_at is not None
    assert row("someone").open_until is not None
    (line,) = [record for record in caplog.records if record.name == "discovery.clients.provider_status"]
    assert (line.getMessage(), line.provider, line.cause) == (
        "provider's row not stored", "someone", "OperationalError",
    )  # fmt: skip


def test_a_run_does_not_mind_rows_that_cannot_be_written(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(provider_status, "_store", broken)
    monkeypatch.setattr(provider_status, "hang_up", lambda: None)  # the test's transaction lives on it
    use_market(*WORLD)
    answer = discover("--max-tokens=2")
    assert (answer["status"], answer["errors"]) == ("completed", [])
    assert "provider's row not stored" in caplog.text


def test_signs_are_settled_when_their_loop_ends(db: None) -> None:
    from asgiref.sync import async_to_sync

    async def main() -> None:
        async with report_status() as signs:
            signs.answered("someone")

    async_to_sync(main)()
    assert row("someone").last_success_at is not None
