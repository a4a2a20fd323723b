"""Connections to the database and to Redis, for coroutines."""

import redis.asyncio
from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

REDIS_TIMEOUT_SECONDS = 2


def close_connection() -> None:
    """Close the database connection of the current thread; the next query opens a new
    one.

    Call it by sync_to_async, as the query was: `sync_to_async(connection.close)` would
    look up the connection of the event loop's own thread, which Django refuses to close
    from another thread.
    """
    connection.close()


async def redis_available() -> bool:
    """Return True if the Redis server responds. Without it, rate limits and breakers
    hold for this process alone.
    """
    client = redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
    )
    try:
        await client.ping()
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
    return True
