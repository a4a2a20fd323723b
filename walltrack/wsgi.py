"""The WSGI application for gunicorn. It does not start with the settings that
walltrack/startup_checks.py rejects.
"""

import logging
import os

from django.core.wsgi import get_wsgi_application

from walltrack.startup_checks import validate

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walltrack.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402  settings can be read only after the application is set up

validate()

if not settings.API_AUTH_ENABLED:
    logging.getLogger(__name__).warning(
        "API_AUTH_ENABLED=false: everybody who reaches this server can use the API"
    )
