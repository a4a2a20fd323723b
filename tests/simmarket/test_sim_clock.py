"""The clock of a market: its file, and the requests that move it."""

import json
import time

import pytest

from simmarket.api.clock import ClockError, ClockFile
from simmarket.api.market import Options
from tests.simmarket import living
from tests.simmarket.living import DAY, HOUR

NOW = "/__sim__/now"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "clock.json"


@pytest.fixture(scope="module")
def world():
    return living.build()


def write(file, *, days_ago, speed=0.0, **more):
    """Write a clock file as another program does; return its simulated time."""
    real = time.time()
    simulated = real - days_ago * DAY
    body = {"real": real, "simulated": simulated, "speed": speed, **more}
    file.write_text(json.dumps(body))
    return simulated


@pytest.fixture
def market(start_market, world, file):
    """A market thirty days ago, whose time stands still."""
    write(file, days_ago=30)
    return start_market(Options(), world, ClockFile(file))


def post(market, body):
    status, _, answer = market.raw("POST", NOW, body)
    return status, json.loads(answer)


def test_time_passes_as_fast_as_the_file_says(file):
    simulated = write(file, days_ago=30, speed=1_000)
    clock = ClockFile(file)
    before, real = clock.now(), time.time()
    assert before - simulated < 1_000 * (real - simulated)
    while time.time() < real + 0.05:
        pass
    passed = clock.now() - before
    assert 50 <= passed < 1_000 * (time.time() - real + 0.01)


def test_time_without_speed_stands_still(file):
    simulated = write(file, days_ago=30)
    clock = ClockFile(file)
    assert clock.now() == clock.now() == simulated


def test_time_that_has_caught_up_is_the_present(file):
    write(file, days_ago=30, speed=1e12)
    assert ClockFile(file).now() == pytest.approx(time.time(), abs=1)


def test_a_file_that_is_replaced_is_read_again(file):
    write(file, days_ago=30)
    clock = ClockFile(file)
    simulated = write(file, days_ago=20)
    assert clock.now() == simulated


def test_a_replaced_file_that_cannot_be_read_is_ignored(file, capsys):
    simulated = write(file, days_ago=30)
    clock = ClockFile(file)
    file.write_text("{")
    assert clock.now() == simulated
    assert "is ignored" in capsys.readouterr().err


def test_the_origin_is_the_first_time_and_outlasts_moves_and_restarts(file):
    origin = write(file, days_ago=30)
    clock = ClockFile(file)
    clock.move_to(origin + DAY)
    assert ClockFile(file).origin == clock.origin == origin
    assert json.loads(file.read_text())["origin"] == origin


def test_the_origin_outlasts_a_file_that_another_program_writes_without_it(file):
    origin = write(file, days_ago=30)
    clock = ClockFile(file)
    write(file, days_ago=20)
    clock.now()
    assert clock.origin == origin


def test_a_new_file_has_the_keys_that_other_programs_read(file):
    write(file, days_ago=30, speed=2)
    clock = ClockFile(file)
    clock.set_speed(5)
    body = json.loads(file.read_text())
    assert body.keys() == {"real", "simulated", "speed", "origin"}
    assert body["speed"] == 5
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name"),
        ("[]", "JSON object"),
        ('{"real": 1, "simulated": 1}', "speed: a finite number"),
        ('{"real": 1, "simulated": 1, "speed": -1}', "negative"),
        ('{"real": true, "simulated": 1, "speed": 1}', "real: a finite number"),
        ('{"real": 1, "simulated": Infinity, "speed": 1}', "simulated: a finite"),
    ],
)
def test_an_invalid_file_is_refused_with_its_reason(file, text, reason):
    file.write_text(text)
    with pytest.raises(ClockError, match=reason):
        ClockFile(file)


def test_a_missing_file_is_refused(file):
    with pytest.raises(ClockError, match="No such file"):
        ClockFile(file)


def test_the_market_tells_both_times_and_the_speed(market, file):
    answer = market.get(NOW)
    assert answer["now"] == json.loads(file.read_text())["simulated"]
    assert answer["real"] == pytest.approx(time.time(), abs=5)
    assert answer["speed"] == 0


def test_a_world_that_continues_begins_its_present_with_the_origin(market, file):
    origin = json.loads(file.read_text())["origin"]
    assert 0 <= origin - market.stats()["shift_seconds"] < 60
    slot = market.rpc("getSlot")
    assert market.server.market.world.transactions[-1].slot <= slot


def test_advancing_moves_the_time_and_the_world(market):
    before, slot = market.get(NOW)["now"], market.rpc("getSlot")
    status, answer = post(market, {"advance_seconds": 6 * HOUR})
    assert status == 200
    assert answer["now"] == pytest.approx(before + 6 * HOUR)
    assert 50_000 < market.rpc("getSlot") - slot < 70_000
    assert market.stats()["now"] == answer["now"]


def test_a_moment_can_be_set(market, file):
    target = json.loads(file.read_text())["simulated"] + 2 * DAY
    assert post(market, {"now": target})[1]["now"] == target
    assert json.loads(file.read_text())["simulated"] == target


def test_the_speed_can_be_set(market):
    before = market.get(NOW)["now"]
    status, answer = post(market, {"speed": 3_600})
    assert (status, answer["speed"]) == (200, 3_600)
    assert answer["now"] >= before
    assert post(market, {"speed": 0})[1]["speed"] == 0
    assert market.get(NOW)["now"] == market.get(NOW)["now"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"advance_seconds": -1}, "time moves forward only"),
        ({"now": 1_000}, "time moves forward only"),
        ({"advance_seconds": 31 * DAY}, "later than the present"),
        ({"speed": -1}, "negative"),
        ({"speed": "fast"}, "speed: a finite number"),
        ({}, "now, advance_seconds, speed"),
        ({"now": 1, "speed": 1}, "now, advance_seconds, speed"),
        ({"day": 1}, "now, advance_seconds, speed"),
        (b"{", "Expecting property name"),
        ([1], "now, advance_seconds, speed"),
    ],
)
def test_a_move_that_is_refused_says_why_and_changes_nothing(market, body, reason):
    before = market.get(NOW)
    status, answer = post(market, body)
    assert status == 400
    assert reason in answer["error"]
    after = market.get(NOW)
    assert (after["now"], after["speed"]) == (before["now"], before["speed"])


def test_other_methods_are_refused(market):
    assert market.raw("DELETE", NOW)[0] == 405


def test_without_a_clock_file_time_is_real_and_cannot_be_moved(start_market):
    client = start_market(Options())
    answer = client.get(NOW)
    assert answer["now"] == pytest.approx(answer["real"], abs=1)
    assert answer["speed"] == 1
    status, refusal = post(client, {"advance_seconds": 60})
    assert status == 409
    assert "--clock" in refusal["error"]


def test_a_restarted_market_does_not_shift_its_world(start_market, world, market, file):
    post(market, {"advance_seconds": DAY})
    again = start_market(Options(), world, ClockFile(file))
    assert again.stats()["shift_seconds"] == market.stats()["shift_seconds"]
    assert again.rpc("getSlot") == market.rpc("getSlot")


def test_a_world_that_has_ended_is_served_whole_at_the_time_of_the_clock(
    start_market, small_world, file
):
    simulated = write(file, days_ago=30)
    client = start_market(Options(), small_world, ClockFile(file))
    stats = client.stats()
    assert stats["now"] == simulated
    assert 600 <= simulated - stats["shift_seconds"] < 660
    assert stats["transactions"] == len(small_world.transactions)


def test_the_newest_candle_of_sol_ends_with_the_last_closed_minute(market, world):
    query = "symbol=SOLUSDT&interval=1h&limit=1"
    moment = market.get(NOW)["now"]
    (candle,) = market.get(f"/prices/api/v3/klines?{query}")
    minute = (int(moment) - market.stats()["shift_seconds"]) // 60 - 1
    cents = world.price.close_cents(minute)
    assert candle[4] == f"{cents // 100}.{cents % 100:02d}"


def test_calls_are_counted_by_provider_and_method(market, world):
    wallet = world.accounts.address(min(world.wallets))
    for _ in range(3):
        market.rpc("getSignaturesForAddress", wallet)
    market.rpc("getSlot")
    served = market.stats()["served"]["rpc"]
    assert served == {"getSignaturesForAddress": 3, "getSlot": 1}
