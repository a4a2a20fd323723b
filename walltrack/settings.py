"""Settings of the project, read from the environment. `.env.example` lists them with
their defaults and reasons.
"""

import re
import secrets
import sys
import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from walltrack import database, follow, logs, openapi, simulated, theme, upkeep
from walltrack.env import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

# --- Identity and transport -----------------------------------------------------------
DEBUG = env.flag("DEBUG", default=False)
INSTANCE_NAME = env.text("INSTANCE_NAME", "walltrack")
if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", INSTANCE_NAME):
    raise ImproperlyConfigured(
        "INSTANCE_NAME: it is the prefix of cookie names, so only letters, digits, _ . and -, at most 40. "
        "Example: INSTANCE_NAME=walltrack-2"
    )
VERSION = env.text("WALLTRACK_VERSION", "unreleased")
PUBLIC_URL = env.url("PUBLIC_URL", "http://127.0.0.1:8080")
if (
    not urlsplit(PUBLIC_URL).hostname
    or PUBLIC_URL.count("/") != 2
    or "?" in PUBLIC_URL
    or "@" in PUBLIC_URL
):
    raise ImproperlyConfigured(
        "PUBLIC_URL: only scheme, host and port, because WallTrack is served at the root of a host. "
        "Example: PUBLIC_URL=https://walltrack.example"
    )
_https = PUBLIC_URL.startswith("https://")

# Commands run without a key, because nothing that they sign outlives them. A server
# refuses to start without one (walltrack/startup_checks.py).
SECRET_KEY_GIVEN = env.secret("SECRET_KEY")
if SECRET_KEY_GIVEN and len(SECRET_KEY_GIVEN) < 32:
    raise ImproperlyConfigured(
        "SECRET_KEY: shorter than 32 characters. Example: SECRET_KEY=$(openssl rand -hex 32)"
    )
SECRET_KEY = SECRET_KEY_GIVEN or secrets.token_hex(32)
# The host of the public URL is always allowed.
_public_host = urlsplit(PUBLIC_URL).hostname or ""
ALLOWED_HOSTS = [
    *env.comma_separated("ALLOWED_HOSTS", "127.0.0.1,localhost"),
    f"[{_public_host}]" if ":" in _public_host else _public_host,
]
CSRF_TRUSTED_ORIGINS = env.comma_separated("CSRF_TRUSTED_ORIGINS") or [PUBLIC_URL]

DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000  # a pasted list of wallets has 5 MB at most
SESSION_COOKIE_NAME = f"{INSTANCE_NAME}_session"
CSRF_COOKIE_NAME = f"{INSTANCE_NAME}_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = _https
SECURE_SSL_HOST = urlsplit(
    PUBLIC_URL
).netloc  # redirects go to the public host and port, which serve TLS
HSTS_SECONDS = env.integer(
    "HSTS_SECONDS", 31_536_000, minimum=0, maximum=2 * 31_536_000
)
SECURE_HSTS_SECONDS = HSTS_SECONDS if _https else 0
# HSTS covers neither subdomains, which may belong to other services, nor the preload
# lists of browsers.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, minimum=0, maximum=5)
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Application ----------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "simple_history",
    "rest_framework",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "axes",
    "csp",
    "discovery",
    "health",
]
MIDDLEWARE = [
    "health.middleware.HealthMiddleware",
    "walltrack.request_ids.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
ROOT_URLCONF = "walltrack.urls"
WSGI_APPLICATION = "walltrack.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "discovery.admin.context.instance",
            ]
        },
    }
]
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# In a checkout the files are found where they lie; an image makes this folder and
# collects them when it is built.
STATIC_ROOT = BASE_DIR / "staticfiles" if (BASE_DIR / "staticfiles").is_dir() else None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# --- Pages ----------------------------------------------------------------------------
# Nothing is loaded from other hosts. The theme's Alpine evaluates its attributes, which
# needs `unsafe-eval`.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
# After this many wrong passwords for one user name from one address, this pair cannot
# sign in for a while.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "discovery.admin.login.locked_out"
AXES_CLIENT_IP_CALLABLE = "discovery.admin.login.address_of"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = (
    False  # else continued guessing would lock the user out for ever
)
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False  # `manage.py axes_reset` ends a lockout
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "discovery:home"
UNFOLD = theme.unfold(INSTANCE_NAME)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
USE_TZ = True
FORMAT_MODULE_PATH = "walltrack.formats"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
if TIME_ZONE not in zoneinfo.available_timezones():
    raise ImproperlyConfigured(
        f"TIME_ZONE: {TIME_ZONE!r} is not a time zone. Example: TIME_ZONE=Europe/Zurich"
    )

# --- PostgreSQL -----------------------------------------------------------------------
DATABASE_SCHEMA = env.text("DATABASE_SCHEMA", "public")
if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", DATABASE_SCHEMA):
    # PostgreSQL folds capitals in the search path, but not in the statement that
    # creates the schema.
    raise ImproperlyConfigured(
        "DATABASE_SCHEMA: not a schema name of lower-case letters, digits and _. Example: DATABASE_SCHEMA=public"
    )
_local = "postgresql://walltrack@127.0.0.1:5432/walltrack"
_schemes = ("postgres", "postgresql", "pgsql")
_database_url = env.url("DATABASE_URL", _local, schemes=_schemes)
# Migrations hold a session lock, so they must not go through a pooler, which shares
# sessions between clients.
if env.text("DATABASE_DIRECT_URL") and "migrate" in sys.argv[1:2]:
    _database_url = env.url("DATABASE_DIRECT_URL", _local, schemes=_schemes)
DATABASES = {"default": database.connection(_database_url, DATABASE_SCHEMA)}

# --- Redis or Valkey ------------------------------------------------------------------
REDIS_URL = env.url(
    "REDIS_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss")
)

# Throttles and short-lived values, in the same server as the queue, under a prefix of
# this instance.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": INSTANCE_NAME,
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
}

# --- Celery: transport only; the state of runs and steps is in PostgreSQL -------------
# A step is given up, and tried again, when no provider has answered it for this long.
STEP_SILENCE_SECONDS = env.integer(
    "STEP_SILENCE_SECONDS", 1800, minimum=30, maximum=6 * 3600
)
# A worker that has sent no heartbeat for a step for this long counts as dead; its work
# goes to other workers.
STEP_DEAD_SECONDS = env.integer("STEP_DEAD_SECONDS", 90, minimum=5, maximum=3600)
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # else beat adds a task that deletes what nobody stores
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# An end for what STEP_SILENCE_SECONDS and jobs/hung_process.py overlook.
CELERY_TASK_SOFT_TIME_LIMIT = 48 * 3600
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
# Longer than the hard limit: no message of a running step comes again (celery #5935).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": CELERY_TASK_TIME_LIMIT + 600,
    "global_keyprefix": f"{INSTANCE_NAME}:",
    # Workers wait for messages; a process that only sends must not keep a page waiting
    # for a broker that hangs.
    "socket_timeout": 30 if {"worker", "beat"} & set(sys.argv) else 3,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0.1,
    "interval_step": 0.3,
    "interval_max": 1,
}
CELERY_WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", 4, minimum=1, maximum=64)
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_000_000  # KiB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_DEFAULT_QUEUE = "steps"
CELERY_TASK_ROUTES = {
    "discovery.step": {"queue": "steps"},
    "discovery.*": {"queue": "periodic"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Market: providers (read only by discovery/clients and discovery/pipeline) --------
MARKET = env.choice("MARKET", "live", ("live", "simulated"))
_simulated_url = (
    env.url("SIMULATED_URL", "http://127.0.0.1:9100") if MARKET == "simulated" else ""
)


def _live(url: str, path: str) -> str:
    """Return the default URL of a provider: with MARKET=simulated, that of the
    simulated market.
    """
    if _simulated_url:
        return f"{_simulated_url}/{path}"
    return url


DEXSCREENER_URL = env.url(
    "DEXSCREENER_URL", _live("https://api.dexscreener.com", "dexscreener")
)
GECKOTERMINAL_URL = env.url(
    "GECKOTERMINAL_URL", _live("https://api.geckoterminal.com/api/v2", "geckoterminal")
)
JUPITER_URL = env.url("JUPITER_URL", _live("https://api.jup.ag", "jupiter"))
JUPITER_API_KEY = env.secret("JUPITER_API_KEY")
SOLANA_RPC_URL = env.url(
    "SOLANA_RPC_URL", _live("https://api.mainnet-beta.solana.com", "rpc")
)
HELIUS_URL = env.url("HELIUS_URL", _live("https://mainnet.helius-rpc.com", "helius"))
HELIUS_API_KEY = env.secret("HELIUS_API_KEY", "simulated" if _simulated_url else "")
if HELIUS_API_KEY == "none":  # the simulated market has a key otherwise
    HELIUS_API_KEY = ""
PRICES_URL = env.url("PRICES_URL", _live("https://data-api.binance.vision", "prices"))
MONTHLY_CREDITS = upkeep.monthly_credits(
    env, is_limited=bool(HELIUS_API_KEY) and MARKET == "live"
)
# Requests a second to each provider; 0 means each provider's documented limit.
PROVIDER_RPS = env.integer(
    "PROVIDER_RPS", 500 if _simulated_url else 0, minimum=0, maximum=100_000
)
# How long a request to a provider is retried before it fails.
PROVIDER_PATIENCE_SECONDS = env.integer(
    "PROVIDER_PATIENCE_SECONDS", 60, minimum=1, maximum=600
)

# --- Discovery ------------------------------------------------------------------------
DISCOVERY_SCHEDULER_ENABLED = env.flag("DISCOVERY_SCHEDULER_ENABLED", default=True)
DISCOVERY_SCHEDULE_HOURS = env.integer(
    "DISCOVERY_SCHEDULE_HOURS", 6, minimum=1, maximum=24
)
DISCOVERY_HOUR_SECONDS = simulated.hour_seconds(env, MARKET)
SIMULATED_CLOCK_FILE = simulated.clock_file(env, MARKET)

PROFILE_LOOKBACK_DAYS = env.integer("PROFILE_LOOKBACK_DAYS", 90, minimum=7, maximum=365)
FOLLOW = follow.follow_settings(env)
REFRESH = upkeep.refresh_settings(env)
RECORDS = upkeep.record_settings(env)
RETENTION_TRADES_DAYS = env.integer(
    "RETENTION_TRADES_DAYS", 180, minimum=7, maximum=3650
)
# The simulated market reuses its signatures with other times, so its transactions must
# not be cached.
RETENTION_CACHE_HOURS = (
    env.integer("RETENTION_CACHE_HOURS", 24, minimum=0, maximum=720)
    if MARKET == "live"
    else 0
)

# --- API ------------------------------------------------------------------------------
API_AUTH_ENABLED = env.flag("API_AUTH_ENABLED", default=True)
# Requests a minute: of one API key or user, with separate limits for reading and
# writing, and of one anonymous address.
API_THROTTLE_READ = env.integer("API_THROTTLE_READ", 600, minimum=1, maximum=1_000_000)
API_THROTTLE_WRITE = env.integer("API_THROTTLE_WRITE", 60, minimum=1, maximum=1_000_000)
API_THROTTLE_ANONYMOUS = env.integer(
    "API_THROTTLE_ANONYMOUS", 60, minimum=1, maximum=1_000_000
)
CORS_ALLOWED_ORIGINS = env.comma_separated("CORS_ALLOWED_ORIGINS")
for _origin in CORS_ALLOWED_ORIGINS:
    if not re.fullmatch(r"https?://[a-zA-Z0-9.\[\]:-]+", _origin):
        raise ImproperlyConfigured(
            f"CORS_ALLOWED_ORIGINS: {_origin!r} is not an origin: only scheme, host and port, no pattern. "
            "Example: CORS_ALLOWED_ORIGINS=https://example.com"
        )
CORS_ALLOW_CREDENTIALS = env.flag("CORS_ALLOW_CREDENTIALS", default=False)
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "x-csrftoken",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = ["etag", "location", "retry-after", "x-request-id"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "discovery.api.auth.KeyAuthentication",
        "discovery.api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["discovery.api.auth.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["discovery.api.throttles.CallerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["discovery.api.parsers.BoundedJsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "discovery.api.negotiation.FormatNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "discovery.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "discovery.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    # The number of proxies whose X-Forwarded-For is trusted for a client's address.
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
}
SPECTACULAR_SETTINGS = openapi.SETTINGS

# --- Logs -----------------------------------------------------------------------------
LOG_LEVEL = env.choice(
    "LOG_LEVEL", "info", ("debug", "info", "warning", "error")
).upper()
LOG_FORMAT = env.choice("LOG_FORMAT", "console", ("json", "console"))
LOGGING = logs.logging_config(LOG_LEVEL, LOG_FORMAT)
