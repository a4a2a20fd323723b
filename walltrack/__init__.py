"""The WallTrack project: settings, logging, URLs, embedded servers and `make run`."""

from walltrack.celery import app as celery_app

__all__ = ["celery_app"]
