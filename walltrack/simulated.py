"""Settings that only a simulated market allows."""

from django.core.exceptions import ImproperlyConfigured

from walltrack.env import Env

HOUR_SECONDS = 3600


def hour_seconds(env: Env, market: str) -> int:
    """Return the length of an hour of the schedule: a shorter one demonstrates the
    schedule; with a live market it would only waste requests. Raises
    ImproperlyConfigured.
    """
    seconds = env.integer(
        "DISCOVERY_HOUR_SECONDS", HOUR_SECONDS, minimum=1, maximum=HOUR_SECONDS
    )
    if seconds != HOUR_SECONDS and market != "simulated":
        raise ImproperlyConfigured(
            f"DISCOVERY_HOUR_SECONDS: a value other than {HOUR_SECONDS} requires MARKET=simulated"
        )
    return seconds


def clock_file(env: Env, market: str) -> str:
    """Return the path of the file with the clock of a simulated market, "" for real time
    (walltrack/clock.py). Raises ImproperlyConfigured.
    """
    path = env.text("SIMULATED_CLOCK_FILE")
    if path and market != "simulated":
        raise ImproperlyConfigured("SIMULATED_CLOCK_FILE requires MARKET=simulated")
    return path
