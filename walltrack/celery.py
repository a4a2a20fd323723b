"""The Celery app. Settings stand in walltrack/settings.py under CELERY_…; tasks in discovery/tasks.py."""

import os
from queue import Empty
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.transport.redis import Channel

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walltrack.settings")

app = Celery("walltrack")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _our_logging(**_: Any) -> None:
    """Workers and beat write the same lines as everything else: with run ids, without keys."""
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


# kombu 5.7.0: where the broker is lost while a channel waits in BRPOP, closing that channel raises half way; Celery
# closes it again without its transport, and the AttributeError of that ends the worker. A read that fails while its
# channel is being closed has nothing more to say.
_read = Channel._brpop_read  # type: ignore[attr-defined]  # the stubs leave it out


def _read_unless_lost(channel: Any, **options: Any) -> Any:
    try:
        return _read(channel, **options)
    except channel.connection_errors:
        if channel._closing:
            raise Empty from None
        raise


Channel._brpop_read = _read_unless_lost  # type: ignore[attr-defined]
