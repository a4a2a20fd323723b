"""The Celery app. Its settings are CELERY_… in walltrack/settings.py; the tasks are in
discovery/tasks.py.
"""

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
def _configure_logging(**_: Any) -> None:
    """Give workers and beat the log format of all other processes: with run ids,
    without secrets.
    """
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


# Works around kombu 5.7.0: if the connection to the broker is lost while a channel
# waits in BRPOP, closing that channel raises half way. Celery closes it again without
# its transport, and the resulting AttributeError ends the worker. An error of a read
# can be ignored while its channel is being closed.
_read = Channel._brpop_read  # type: ignore[attr-defined]  # the stubs leave it out


def _read_unless_closing(channel: Any, **options: Any) -> Any:
    try:
        return _read(channel, **options)
    except channel.connection_errors:
        if channel._closing:
            raise Empty from None
        raise


Channel._brpop_read = _read_unless_closing  # type: ignore[attr-defined]
