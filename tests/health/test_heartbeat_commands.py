"""`worker_alive` and `beat_alive`, the health checks of the worker's and beat's
containers.
"""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.health.faulty_servers import closed_port

HOST = socket.gethostname()


@pytest.fixture
def run_command(db: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(command: str, **options: Any) -> str:
        call_command(command, **options)
        return capsys.readouterr().out

    return run


def test_a_worker_with_a_recent_heartbeat_is_alive(
    run_command: Any, heartbeat: Any
) -> None:
    heartbeat(f"worker:{HOST}:7", age_seconds=4)
    assert run_command("worker_alive") == f"worker:{HOST}:7 was seen 4 s ago\n"


def test_the_latest_heartbeat_of_the_host_counts(
    run_command: Any, heartbeat: Any
) -> None:
    heartbeat(f"worker:{HOST}:7", age_seconds=4000)
    heartbeat(f"worker:{HOST}:9", age_seconds=4)
    assert f"worker:{HOST}:9" in run_command("worker_alive")


def test_a_worker_with_an_old_heartbeat_is_not_alive(
    run_command: Any, heartbeat: Any
) -> None:
    heartbeat(f"worker:{HOST}:7", age_seconds=75)
    with pytest.raises(CommandError, match="was last seen 75 s ago"):
        run_command("worker_alive")
    assert "75 s ago" in run_command("worker_alive", within=90)


def test_a_worker_on_another_host_does_not_count(
    run_command: Any, heartbeat: Any
) -> None:
    heartbeat(f"worker:{HOST}2:7")
    with pytest.raises(CommandError, match=f"a worker on {HOST} has not been seen yet"):
        run_command("worker_alive")
    assert f"{HOST}2" in run_command("worker_alive", host=f"{HOST}2")


def test_beat_with_a_recent_heartbeat_is_alive(
    run_command: Any, heartbeat: Any
) -> None:
    heartbeat("beat", age_seconds=20)
    assert run_command("beat_alive") == "beat was seen 20 s ago\n"


def test_beat_with_an_old_heartbeat_is_not_alive(
    run_command: Any, heartbeat: Any
) -> None:
    heartbeat("beat", age_seconds=100)
    with pytest.raises(CommandError, match="beat was last seen 100 s ago"):
        run_command("beat_alive")


def test_beat_without_a_heartbeat_is_not_alive(run_command: Any) -> None:
    with pytest.raises(CommandError, match="beat has not been seen yet"):
        run_command("beat_alive")


@pytest.mark.parametrize("command", ["worker_alive", "beat_alive"])
@pytest.mark.django_db(transaction=True)
def test_a_database_out_of_reach_is_reported(
    command: str, database_at: Callable[[int], None]
) -> None:
    connection.close()
    database_at(closed_port())
    with pytest.raises(CommandError, match="the database is unreachable"):
        call_command(command)
