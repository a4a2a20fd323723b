"""The web application for gunicorn. Refuses to serve with what walltrack/guards.py names."""

import logging
import os

from django.core.wsgi import get_wsgi_application

from walltrack.guards import refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walltrack.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402  settings are readable only once the application is set up

refuse()

if not settings.API_AUTH_ENABLED:
    logging.getLogger(__name__).warning("API_AUTH_ENABLED=false: whoever reaches this server may use the whole API")
