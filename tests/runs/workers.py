"""Real workers as child processes over the test's own database and broker."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from walltrack.processes import until

ROOT = Path(__file__).resolve().parents[2]


def environment(urls: dict[str, str], **more: str) -> dict[str, str]:
    """What a worker needs: this test's database and the market."""
    kept = connection.settings_dict
    address = f"{kept['USER']}:{kept['PASSWORD']}@{kept['HOST']}:{kept['PORT'] or 5432}"
    url = f"postgresql://{kept['USER']}@/{kept['NAME']}?host={kept['HOST']}"
    if not kept["HOST"].startswith("/"):
        url = f"postgresql://{address}/{kept['NAME']}"
    return {
        **os.environ,
        **urls,
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "INSTANCE_NAME": settings.INSTANCE_NAME,
        "HELIUS_API_KEY": "simulated",
        "MARKET": "simulated",
        "PROVIDER_RPS": "5000",
        "PROVIDER_PATIENCE_SECONDS": "60",
        "STEP_DEAD_SECONDS": "5",
        "WORKER_CONCURRENCY": "3",
        "LOG_LEVEL": "info",
        **more,
    }


class Worker:
    """One worker with its pool, a process group of its own."""

    def __init__(self, env: dict[str, str], log: Path, name: str) -> None:
        self.log = log
        command = [sys.executable, "-m", "celery", "-A", "walltrack", "worker", "--queues", "runs,steps,periodic"]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "-n", f"{name}@%h", "--loglevel", "info"],
                cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL to the worker and all of its pool."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As a container is stopped."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@contextlib.contextmanager
def workers(count: int, env: dict[str, str], folder: Path) -> Iterator[list[Worker]]:
    """So many workers that are alive; none is left at the end."""
    from discovery.models import DiscoveryHeartbeat

    started = [Worker(env, folder / f"worker{nth}.log", f"w{nth}") for nth in range(count)]
    try:
        ready = until(lambda: DiscoveryHeartbeat.objects.filter(name__startswith="worker:").count() >= count, 60)
        assert ready, "\n".join(worker.log.read_text()[-2000:] for worker in started)
        yield started
    finally:
        for worker in started:
            worker.kill()


def wait_for(condition: Callable[[], bool], seconds: float, *, meanwhile: Callable[[], None] | None = None) -> bool:
    """Whether `condition` came true; `meanwhile` is what beat would do, every second."""
    end = time.monotonic() + seconds
    last = 0.0
    while time.monotonic() < end:
        if condition():
            return True
        if meanwhile is not None and time.monotonic() - last > 1:
            meanwhile()
            last = time.monotonic()
        time.sleep(0.1)
    return condition()
