"""Concurrent requests whose first failure cancels the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def gather_or_cancel(awaitables: Iterable[Awaitable[Result]]) -> list[Result]:
    """Run all concurrently and return the results in order. The first failure cancels
    the others and is raised.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def gather_bounded(
    items: Iterable[Item],
    work: Callable[[Item], Awaitable[Result]],
    max_concurrent: int,
) -> list[Result]:
    """Run `work` for each item, at most `max_concurrent` at once; otherwise like
    `gather_or_cancel`.
    """
    semaphore = asyncio.Semaphore(max_concurrent)

    async def run(item: Item) -> Result:
        async with semaphore:
            return await work(item)

    return await gather_or_cancel(run(item) for item in items)
