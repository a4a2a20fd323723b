"""The WallTrack project: settings, logging, URLs and the start-up from nothing."""

from walltrack.celery import app as celery_app

__all__ = ["celery_app"]
