"""Log lines: one a event, with the run or the request they belong to, without secrets."""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from walltrack.logs import ConsoleFormatter, JsonFormatter, bind, bound, redact


def record(message: str = "11 tokens to analyse", *, exc_info: Any = None, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("discovery.runs", logging.INFO, __file__, 1, message, (), exc_info)
    vars(made).update(extra)
    return made


def line(message: str = "11 tokens to analyse", **options: Any) -> dict[str, Any]:
    return json.loads(JsonFormatter().format(record(message, **options)))


def caught(work: Callable[[], object]) -> Any:
    try:
        work()
    except OSError:
        return sys.exc_info()
    raise AssertionError("nothing was raised")


def refused() -> None:
    try:
        raise OSError("no answer from https://rpc.example/?api-key=hunter2")
    except OSError as error:
        raise ConnectionError("postgresql://walltrack:hunter2@db/walltrack is out of reach") from error


def test_a_line_within_a_step_carries_run_and_step() -> None:
    with bind(run_id="r-1", step="token So111"):
        shown = line(provider="helius")
    assert (shown["run_id"], shown["step"], shown["provider"]) == ("r-1", "token So111", "helius")


def test_a_line_within_a_request_carries_its_id() -> None:
    with bind(request_id="q-7"):
        assert line()["request_id"] == "q-7"


def test_outside_nothing_is_carried() -> None:
    with bind(run_id="r-1"):
        pass
    assert "run_id" not in line()
    assert bound() == {}


def test_fields_are_gone_after_an_exception_too() -> None:
    with pytest.raises(ValueError, match="x"), bind(run_id="r-1"):
        raise ValueError("x")
    assert bound() == {}


def test_inner_fields_add_to_outer_ones() -> None:
    with bind(run_id="r-1", step="find"):
        with bind(step="finish", request_id=None):
            assert bound() == {"run_id": "r-1", "step": "finish"}
        assert bound() == {"run_id": "r-1", "step": "find"}


def test_a_field_of_the_line_itself_wins() -> None:
    with bind(run_id="r-1"):
        assert line(run_id="r-2")["run_id"] == "r-2"


def test_tasks_of_an_event_loop_keep_their_own_fields() -> None:
    async def work(name: str) -> dict[str, Any]:
        with bind(step=name):
            await asyncio.sleep(0)
            return line()

    async def both() -> list[dict[str, Any]]:
        with bind(run_id="r-1"):
            return await asyncio.gather(work("a"), work("b"))

    assert [(shown["run_id"], shown["step"]) for shown in asyncio.run(both())] == [("r-1", "a"), ("r-1", "b")]


def test_another_thread_does_not_see_them() -> None:
    seen: list[dict[str, Any]] = []
    with bind(run_id="r-1"):
        thread = threading.Thread(target=lambda: seen.append(line()))
        thread.start()
        thread.join()
    assert "run_id" not in seen[0]


def test_people_see_the_fields_behind_the_message_and_before_a_traceback() -> None:
    with bind(run_id="r-1"):
        shown = ConsoleFormatter().format(record(exc_info=caught(refused), mint="So111"))
    assert shown.splitlines()[0].endswith("INFO    discovery.runs  11 tokens to analyse run_id=r-1 mint=So111")
    assert "Traceback" in shown


@pytest.mark.parametrize("formatter", [JsonFormatter, ConsoleFormatter])
def test_secrets_in_exceptions_and_their_causes_are_taken_out(formatter: type[logging.Formatter]) -> None:
    shown = formatter().format(record("failed", exc_info=caught(refused)))
    assert "hunter2" not in shown
    assert "out of reach" in shown
    assert "no answer from" in shown


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
def test_a_secret_is_taken_out_wherever_it_stands(secret: str) -> None:
    assert "hunter2" not in redact(secret)
    assert "hunter2" not in JsonFormatter().format(record(secret, cause={"nested": secret}))
    with bind(note=secret):
        assert "hunter2" not in ConsoleFormatter().format(record())


def test_a_mint_under_the_name_token_is_no_secret() -> None:
    assert line(token="So111")["token"] == "So111"
    assert redact("step token: So111") == "step token: So111"


def test_every_line_is_one_line_of_json() -> None:
    shown = JsonFormatter().format(record("two\nlines", exc_info=caught(refused)))
    assert "\n" not in shown
    assert json.loads(shown)["event"] == "two\nlines"
