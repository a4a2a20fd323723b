"""Log lines: one for each event, with the run or the request that they belong to,
without secrets.
"""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from walltrack.logs import ConsoleFormatter, JsonFormatter, bind, bound, redact


def record(
    message: str = "11 tokens to analyse", *, exc_info: Any = None, **extra: Any
) -> logging.LogRecord:
    log_record = logging.LogRecord(
        "discovery.runs", logging.INFO, __file__, 1, message, (), exc_info
    )
    vars(log_record).update(extra)
    return log_record


def line(message: str = "11 tokens to analyse", **options: Any) -> dict[str, Any]:
    return json.loads(JsonFormatter().format(record(message, **options)))


def exc_info_of(work: Callable[[], object]) -> Any:
    try:
        work()
    except OSError:
        return sys.exc_info()
    raise AssertionError("nothing was raised")


def raise_connection_error() -> None:
    try:
        raise OSError("no answer from https://rpc.example/?api-key=hunter2")
    except OSError as error:
        raise ConnectionError(
            "postgresql://walltrack:hunter2@db/walltrack is unreachable"
        ) from error


def test_a_line_within_a_step_has_run_and_step() -> None:
    with bind(run_id="r-1", step="token So111"):
        fields = line(provider="helius")
    assert (fields["run_id"], fields["step"], fields["provider"]) == (
        "r-1",
        "token So111",
        "helius",
    )


def test_a_line_within_a_request_has_its_id() -> None:
    with bind(request_id="q-7"):
        assert line()["request_id"] == "q-7"


def test_a_line_after_the_block_has_no_bound_fields() -> None:
    with bind(run_id="r-1"):
        pass
    assert "run_id" not in line()
    assert bound() == {}


def test_an_exception_unbinds_the_fields() -> None:
    with pytest.raises(ValueError, match="x"), bind(run_id="r-1"):
        raise ValueError("x")
    assert bound() == {}


def test_inner_fields_are_added_to_outer_ones() -> None:
    with bind(run_id="r-1", step="find"):
        with bind(step="finish", request_id=None):
            assert bound() == {"run_id": "r-1", "step": "finish"}
        assert bound() == {"run_id": "r-1", "step": "find"}


def test_a_field_of_the_line_overrides_a_bound_one() -> None:
    with bind(run_id="r-1"):
        assert line(run_id="r-2")["run_id"] == "r-2"


def test_concurrent_tasks_have_separate_fields() -> None:
    async def work(name: str) -> dict[str, Any]:
        with bind(step=name):
            await asyncio.sleep(0)
            return line()

    async def both() -> list[dict[str, Any]]:
        with bind(run_id="r-1"):
            return await asyncio.gather(work("a"), work("b"))

    assert [(fields["run_id"], fields["step"]) for fields in asyncio.run(both())] == [
        ("r-1", "a"),
        ("r-1", "b"),
    ]


def test_another_thread_has_no_bound_fields() -> None:
    seen: list[dict[str, Any]] = []
    with bind(run_id="r-1"):
        thread = threading.Thread(target=lambda: seen.append(line()))
        thread.start()
        thread.join()
    assert "run_id" not in seen[0]


def test_console_lines_have_the_fields_between_message_and_traceback() -> None:
    with bind(run_id="r-1"):
        text = ConsoleFormatter().format(
            record(exc_info=exc_info_of(raise_connection_error), mint="So111")
        )
    assert text.splitlines()[0].endswith(
        "INFO    discovery.runs  11 tokens to analyse run_id=r-1 mint=So111"
    )
    assert "Traceback" in text


@pytest.mark.parametrize("formatter", [JsonFormatter, ConsoleFormatter])
def test_secrets_in_exceptions_and_their_causes_are_redacted(
    formatter: type[logging.Formatter],
) -> None:
    text = formatter().format(
        record("failed", exc_info=exc_info_of(raise_connection_error))
    )
    assert "hunter2" not in text
    assert "unreachable" in text
    assert "no answer from" in text


@pytest.mark.parametrize(
    "secret",
    [
        "api_key=hunter2",
        "Authorization: Basic hunter2",
        "access_token: hunter2",
        "https://x.example/hook?token=hunter2",
        "the key wt_ab12cd34_hunter2hunter2 is expired",
        'Password: "hunter2"',
    ],
)
def test_a_secret_is_redacted_in_messages_fields_and_bound_fields(secret: str) -> None:
    assert "hunter2" not in redact(secret)
    assert "hunter2" not in JsonFormatter().format(
        record(secret, cause={"nested": secret})
    )
    with bind(note=secret):
        assert "hunter2" not in ConsoleFormatter().format(record())


def test_a_mint_named_token_is_not_redacted() -> None:
    assert line(token="So111")["token"] == "So111"
    assert redact("step token: So111") == "step token: So111"


def test_every_record_is_one_line_of_json() -> None:
    text = JsonFormatter().format(
        record("two\nlines", exc_info=exc_info_of(raise_connection_error))
    )
    assert "\n" not in text
    assert json.loads(text)["event"] == "two\nlines"
