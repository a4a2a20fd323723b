"""The Celery app. Settings stand in walltrack/settings.py under CELERY_…; tasks in discovery/tasks.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

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
