"""`python -m simmarket` as a process."""

import http.client
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "simmarket", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_and_stops_on_a_signal(signal_number):
    with start("--world", "empty") as process:
        line = process.stdout.readline()
        match = re.fullmatch(
            r"simmarket: world empty, seed 7, 0 tokens, 0 wallets, 0 transactions on http://127\.0\.0\.1:(\d+)\n",
            line,
        )
        assert match
        with closing(
            http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=5)
        ) as connection:
            connection.request("GET", "/__sim__/health")
            assert connection.getresponse().read() == b'{"status":"ok"}'
            process.send_signal(signal_number)
            assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""


def test_a_missing_trades_file_is_a_usage_error():
    with start("--trades", "nowhere.csv") as process:
        assert process.wait(timeout=10) == 2
        assert "no file nowhere.csv" in process.stderr.read()


def test_an_unusable_clock_file_is_a_usage_error():
    with start("--world", "empty", "--clock", "nowhere.json") as process:
        assert process.wait(timeout=10) == 2
        assert (
            process.stderr.read()
            == "simmarket: --clock: nowhere.json: No such file or directory\n"
        )


def test_the_time_comes_from_the_clock_file(tmp_path):
    file = tmp_path / "clock.json"
    file.write_text('{"real": 1790000000, "simulated": 1780000000, "speed": 0}')
    with start("--world", "empty", "--clock", str(file)) as process:
        url = process.stdout.readline().split()[-1]
        port = int(url.rpartition(":")[2])
        with closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        ) as connection:
            connection.request("GET", "/__sim__/now")
            assert b'"now":1780000000.0,' in connection.getresponse().read()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


def test_a_port_in_use_is_reported_in_one_line(small_server):
    with start("--world", "empty", "--port", str(small_server.port)) as process:
        assert process.wait(timeout=10) == 1
        assert (
            f"cannot listen on 127.0.0.1:{small_server.port}" in process.stderr.read()
        )
