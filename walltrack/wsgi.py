"""The web application for gunicorn. Refuses to serve with a secret that nobody set."""

import logging
import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walltrack.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402  settings are readable only once the application is set up

if not settings.SECRET_KEY_GIVEN and not settings.DEBUG:
    raise ImproperlyConfigured("SECRET_KEY: not set. Example: SECRET_KEY=$(openssl rand -hex 32)")

if not settings.API_AUTH_ENABLED:
    logging.getLogger(__name__).warning("API_AUTH_ENABLED=false: whoever reaches this server may use the whole API")
