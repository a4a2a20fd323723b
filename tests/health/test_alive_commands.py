"""The health checks of the worker's and beat's containers."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from ill_servers import closed_port

HOST = socket.gethostname()


@pytest.fixture
def say(db: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(command: str, **options: Any) -> str:
        call_command(command, **options)
        return capsys.readouterr().out

    return run


def test_a_worker_that_just_spoke_is_alive(say: Any, heartbeat: Any) -> None:
    heartbeat(f"worker:{HOST}:7", age_seconds=4)
    assert say("worker_alive") == f"worker:{HOST}:7 was seen 4 s ago\n"


def test_the_newest_worker_of_the_host_counts(say: Any, heartbeat: Any) -> None:
    heartbeat(f"worker:{HOST}:7", age_seconds=4000)
    heartbeat(f"worker:{HOST}:9", age_seconds=4)
    assert f"worker:{HOST}:9" in say("worker_alive")


def test_a_silent_worker_is_not_alive(say: Any, heartbeat: Any) -> None:
    heartbeat(f"worker:{HOST}:7", age_seconds=75)
    with pytest.raises(CommandError, match="was last seen 75 s ago"):
        say("worker_alive")
    assert "75 s ago" in say("worker_alive", within=90)


def test_a_worker_on_another_host_does_not_speak_for_this_one(say: Any, heartbeat: Any) -> None:
    heartbeat(f"worker:{HOST}2:7")
    with pytest.raises(CommandError, match=f"a worker on {HOST} has not been seen yet"):
        say("worker_alive")
    assert f"{HOST}2" in say("worker_alive", host=f"{HOST}2")


def test_beat_that_just_spoke_is_alive(say: Any, heartbeat: Any) -> None:
    heartbeat("beat", age_seconds=20)
    assert say("beat_alive") == "beat was seen 20 s ago\n"


def test_silent_beat_is_not_alive(say: Any, heartbeat: Any) -> None:
    heartbeat("beat", age_seconds=100)
    with pytest.raises(CommandError, match="beat was last seen 100 s ago"):
        say("beat_alive")


def test_beat_that_never_spoke_is_not_alive(say: Any) -> None:
    with pytest.raises(CommandError, match="beat has not been seen yet"):
        say("beat_alive")


@pytest.mark.parametrize("command", ["worker_alive", "beat_alive"])
@pytest.mark.django_db(transaction=True)
def test_a_database_out_of_reach_is_told_in_words(command: str, database_at: Callable[[int], None]) -> None:
    connection.close()
    database_at(closed_port())
    with pytest.raises(CommandError, match="the database is out of reach"):
        call_command(command)
