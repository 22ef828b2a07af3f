"""Django's settings. Ours (`GWM_…`) keep the name they have in the environment; gwm/env.py declares them all."""

import os
import socket
from email.utils import formataddr
from urllib.parse import unquote, urlsplit

from gwm.config import Config, SettingError, read_path
from gwm.databases import describe_cache, describe_database
from gwm.env import BASE_DIR
from gwm.static_version import is_immutable, version_of
from objectlog.sinks import BadAddress, make_sink
from people.directory.described import KEY, BadDirectory, read_directory
from people.limits import RATE_LIMITS
from people.openid.providers import BadProviders, read_providers
from ui.date_formats import is_date_format
from ui.theming.described import read_theme
from ui.theming.problems import BadTheme

config = Config(os.environ)

# Where things are
GWM_DATA_DIR = config.data_dir
DATA_DIR = GWM_DATA_DIR
REDIS_URL = config.url("REDIS_URL", "redis", "rediss", "unix")

# Reaching it
GWM_BIND = config.text("GWM_BIND")
GWM_PORT = config.integer("GWM_PORT")
GWM_PUBLIC_URL = config.url("GWM_PUBLIC_URL", "https", "http").rstrip("/")
GWM_BELOW = read_path(GWM_PUBLIC_URL)
FORCE_SCRIPT_NAME = GWM_BELOW or None
GWM_TLS_CERT = config.text("GWM_TLS_CERT")
GWM_TLS_KEY = config.text("GWM_TLS_KEY")
GWM_BEHIND_PROXY = config.flag("GWM_BEHIND_PROXY")
GWM_TRUSTED_PROXIES = config.networks("GWM_TRUSTED_PROXIES")
GWM_CONNECTIONS_PER_ADDRESS = config.integer("GWM_CONNECTIONS_PER_ADDRESS")
GWM_WEB_PROCESSES = config.integer("GWM_WEB_PROCESSES")
GWM_WEB_THREADS = config.integer("GWM_WEB_THREADS")
HTTPS = GWM_PUBLIC_URL.startswith("https://") or (bool(GWM_TLS_CERT) and not GWM_PUBLIC_URL)

# Secrets
SECRET_KEY = config.text("GWM_SECRET_KEY")
GWM_FIELD_KEYS = config.words("GWM_FIELD_KEYS")
GWM_JOURNAL_KEYS = config.words("GWM_JOURNAL_KEYS")
GWM_JOURNAL_STREAM = config.text("GWM_JOURNAL_STREAM")
if GWM_JOURNAL_STREAM:
    try:
        make_sink(GWM_JOURNAL_STREAM)
    except BadAddress as error:
        raise SettingError("GWM_JOURNAL_STREAM", str(error), "Write it like syslog+tcp://host:601.") from error
GWM_CONSOLE_KEYS = config.words("GWM_CONSOLE_KEYS")
GWM_BACKUP_PASSPHRASE = config.text("GWM_BACKUP_PASSPHRASE")

# Clusters
GWM_SYNC_INTERVAL_S = config.seconds("GWM_SYNC_INTERVAL_S")
GWM_RAPI_CONNECT_TIMEOUT_S = config.seconds("GWM_RAPI_CONNECT_TIMEOUT_S")
GWM_RAPI_READ_TIMEOUT_S = config.seconds("GWM_RAPI_READ_TIMEOUT_S")
GWM_WORKER_THREADS = config.integer("GWM_WORKER_THREADS")
GWM_BATCH_JOBS = config.integer("GWM_BATCH_JOBS")
GWM_BATCH_CALLS = config.integer("GWM_BATCH_CALLS")
GWM_BATCH_LANES = config.integer("GWM_BATCH_LANES")
GWM_MOST_DISKS = config.integer("GWM_MOST_DISKS")
GWM_MOST_NICS = config.integer("GWM_MOST_NICS")
GWM_QUOTAS_COUNT_STOPPED = config.flag("GWM_QUOTAS_COUNT_STOPPED")
GWM_DEMO = config.flag("GWM_DEMO")

# Console
GWM_CONSOLE_TICKET_S = config.seconds("GWM_CONSOLE_TICKET_S")
GWM_CONSOLE_CONNECT_TIMEOUT_S = config.seconds("GWM_CONSOLE_CONNECT_TIMEOUT_S")
GWM_CONSOLE_IDLE_S = config.seconds("GWM_CONSOLE_IDLE_S")
GWM_CONSOLE_NETWORKS = config.words("GWM_CONSOLE_NETWORKS")
GWM_CONSOLE_URL = config.text("GWM_CONSOLE_URL") if config.is_set("GWM_CONSOLE_URL") else f"{GWM_BELOW}/console/ws"
GWM_CONSOLE_ORIGINS = config.words("GWM_CONSOLE_ORIGINS")
GWM_CONSOLE_NODE_NETWORKS = config.networks("GWM_CONSOLE_NODE_NETWORKS")
GWM_CONSOLE_HANDSHAKE_TIMEOUT_S = config.seconds("GWM_CONSOLE_HANDSHAKE_TIMEOUT_S")
GWM_CONSOLE_LIMIT = config.integer("GWM_CONSOLE_LIMIT")
GWM_CONSOLE_PICTURES = config.integer("GWM_CONSOLE_PICTURES")
GWM_CONSOLE_PICTURE_S = config.seconds("GWM_CONSOLE_PICTURE_S")
GWM_CONSOLE_PICTURES_PER_MINUTE = config.integer("GWM_CONSOLE_PICTURES_PER_MINUTE")
GWM_CONSOLE_CONTROL = (
    config.path("GWM_CONSOLE_CONTROL") if config.text("GWM_CONSOLE_CONTROL") else DATA_DIR / "console.sock"
)

# Pages
GWM_PAGE_SIZE = config.integer("GWM_PAGE_SIZE")
GWM_SESSION_S = config.seconds("GWM_SESSION_S")

LANGUAGES = [("en", "English"), ("el", "Ελληνικά"), ("es", "Español")]  # as their speakers call them
LANGUAGE_CODE = config.choice("GWM_LANGUAGE", [code for code, _name in LANGUAGES])
GWM_THEME_DIR = config.path("GWM_THEME_DIR") if config.text("GWM_THEME_DIR") else DATA_DIR / "theme"
try:
    GWM_THEME = read_theme(
        GWM_THEME_DIR.absolute(),
        tuple(code for code, _name in LANGUAGES),
        is_wanted=config.is_set("GWM_THEME_DIR"),
    )
except BadTheme as error:
    raise SettingError("GWM_THEME_DIR", str(error), error.remedy) from None

DEBUG = config.flag("GWM_DEBUG")

INSTALLED_APPS = [
    "gwm",
    "updates",
    "people",
    "virtualmachines",
    "quotas",
    "clusters",
    "operations",
    "permissions",
    "objectlog",
    "ui",
    "guardian",
    "allauth.account",
    "allauth.usersessions",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "gwm.middleware.Arrival",
    "gwm.middleware.ProxyHeaders",
    "gwm.middleware.NameRequest",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "gwm.other_releases.AnswerForOtherReleases",
    "gwm.theming.ServeColours",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gwm.middleware.KeepPrivate",
    "people.languages.SpeakAsAsked",
    "gwm.middleware.RefuseNul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "people.languages.SpeakAsChosen",
    "permissions.viewing.ViewAs",
    "people.demanding.DemandSecondFactor",
    "permissions.middleware.ReachReadOnce",
    "gwm.wrong_method.PageForWrongMethod",
    "gwm.vanished.AnswerVanished",
    "gwm.redirects.RedirectMoved",
]
CSRF_FAILURE_VIEW = "gwm.views.errors.csrf_failure"
ROOT_URLCONF = "gwm.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*([GWM_THEME.templates] if GWM_THEME.templates else []), BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gwm.context.frame",
            ],
            "libraries": {"i18n": "ui.templatetags.quick_i18n", "static": "ui.templatetags.quick_static"},
            "builtins": ["ui.templatetags.times", "ui.templatetags.theming"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]

# Who one is
AUTH_USER_MODEL = "permissions.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": f"gwm.passwords.{name}"} for name in ("LongEnough", "UnlikeThePerson", "Uncommon")]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
ACCOUNT_ADAPTER = "people.signing_in.Adapter"
GUARDIAN_GET_CONTENT_TYPE = "permissions.models.content_type_of"
ACCOUNT_RATE_LIMITS = RATE_LIMITS
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # as long as GWM_SESSION_S
ACCOUNT_LOGOUT_REDIRECT_URL = "login"
ACCOUNT_FORMS = {"user_token": "people.views.reset.LinkForm"}
MFA_ADAPTER = "people.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODE_COUNT = 10
MFA_RECOVERY_CODE_DIGITS = 10
GWM_DEMAND_SECOND_FACTOR = config.text("GWM_DEMAND_SECOND_FACTOR")
if GWM_DEMAND_SECOND_FACTOR not in {"nobody", "administrators", "everybody"}:
    raise SettingError(
        "GWM_DEMAND_SECOND_FACTOR",
        f"“{GWM_DEMAND_SECOND_FACTOR}” names nobody.",
        "Write nobody, administrators or everybody.",
    )
PASSWORD_RESET_TIMEOUT = 3 * 86400
GWM_OPENID_FILE = config.path("GWM_OPENID_FILE") if config.text("GWM_OPENID_FILE") else DATA_DIR / "openid.toml"
try:
    GWM_OPENID_PROVIDERS = read_providers(GWM_OPENID_FILE, is_wanted=config.is_set("GWM_OPENID_FILE"))
except BadProviders as error:
    raise SettingError("GWM_OPENID_FILE", str(error), "docs/rights.md shows such a file.") from None
SOCIALACCOUNT_ADAPTER = "people.openid.adapter.Adapter"
GWM_LDAP_FILE = config.path("GWM_LDAP_FILE") if config.text("GWM_LDAP_FILE") else DATA_DIR / "ldap.toml"
try:
    GWM_DIRECTORY = read_directory(GWM_LDAP_FILE, is_wanted=config.is_set("GWM_LDAP_FILE"))
except BadDirectory as error:
    raise SettingError("GWM_LDAP_FILE", str(error), "docs/ldap.md says what it takes.") from None
if any(each.key == KEY for each in GWM_OPENID_PROVIDERS):
    raise SettingError("GWM_OPENID_FILE", f"[{KEY}] is what the LDAP directory is kept as.", "Choose another name.")
if GWM_DIRECTORY is not None:
    AUTHENTICATION_BACKENDS.append("people.directory.backend.DirectoryBackend")
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"provider_class": "people.openid.flow.VerifiedProvider"}}
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = int(GWM_SESSION_S)
SESSION_COOKIE_NAME = "gwm_session"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{GWM_BELOW}/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "gwm_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Mail
GWM_MAIL_URL = config.url("GWM_MAIL_URL", "smtp", "smtp+tls", "smtps")
if GWM_MAIL_URL and not GWM_PUBLIC_URL:
    raise SettingError("GWM_MAIL_URL", "mails have links, whose host must be known.", "Set GWM_PUBLIC_URL.")
_mail = urlsplit(GWM_MAIL_URL)
EMAIL_HOST = _mail.hostname or ""
try:
    EMAIL_PORT = _mail.port or {"smtps": 465, "smtp+tls": 587}.get(_mail.scheme, 25)
except ValueError:
    raise SettingError("GWM_MAIL_URL", "its port is no number.", "Write it like smtp://host:25.") from None
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp+tls"
EMAIL_TIMEOUT = 10
_sender = f"gwm@{urlsplit(GWM_PUBLIC_URL).hostname or 'localhost'}"
DEFAULT_FROM_EMAIL = config.text("GWM_MAIL_FROM") or formataddr((GWM_THEME.own_name, _sender))

GWM_REGISTRATION = config.flag("GWM_REGISTRATION")
GWM_REGISTRATION_DOMAINS = config.words("GWM_REGISTRATION_DOMAINS")
if GWM_REGISTRATION and not GWM_MAIL_URL:
    raise SettingError("GWM_REGISTRATION", "the link to register with is mailed.", "Set GWM_MAIL_URL.")

# Database
DATABASES = {
    "default": describe_database(
        config.url("DATABASE_URL", "postgres", "postgresql", "psql", "mysql", "sqlite"),
        GWM_DATA_DIR,
        prepares=config.flag("GWM_PREPARE_STATEMENTS"),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache: shared by all processes; a cache in one process's memory would break rate limits and locks.
CACHES = {
    "default": describe_cache(REDIS_URL),
    # In memory only: what a screen shows is kept nowhere.
    "pictures": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pictures",
        "OPTIONS": {"MAX_ENTRIES": 200},
    },
}

# Time and language
USE_TZ = True
TIME_ZONE = config.text("GWM_TIME_ZONE")
LOCALE_PATHS = [BASE_DIR / "locale"]
GWM_DATE_FORMAT = config.text("GWM_DATE_FORMAT")
if not is_date_format(GWM_DATE_FORMAT):
    raise SettingError(
        "GWM_DATE_FORMAT", f"“{GWM_DATE_FORMAT}” is no format of days.", "Write it like Y-m-d, d/m/Y or m/d/Y."
    )

# Static files
STATICFILES_DIRS = [*([GWM_THEME.static] if GWM_THEME.static else []), BASE_DIR / "static"]
_version = "" if DEBUG else f"{version_of(*STATICFILES_DIRS, made=GWM_THEME.sheet)}/"
STATIC_URL = f"{GWM_BELOW}/static/{_version}"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
if not DEBUG:
    WHITENOISE_IMMUTABLE_FILE_TEST = is_immutable

# What a browser may do with our pages
_console_host = urlsplit(GWM_CONSOLE_URL).netloc
_CONSOLE_SOURCES = [f"ws://{_console_host}", f"wss://{_console_host}"] if _console_host else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", *_CONSOLE_SOURCES],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS and GWM_BEHIND_PROXY
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",  # permissions.policy reads grants itself; has_perm must not be a second way
    "security.W005",  # https on other hosts of the domain is not ours to promise
    "security.W021",
    "templates.W003",  # ours stands in for Django's i18n, see TEMPLATES
]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if GWM_BEHIND_PROXY else None
USE_X_FORWARDED_HOST = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000


def list_own_names() -> list[str]:
    """Return the names this machine answers to when nobody says otherwise."""
    names = ["localhost", "127.0.0.1", "[::1]", socket.gethostname(), GWM_BIND]
    return sorted({f"[{name}]" if ":" in name and name[0] != "[" else name for name in names if name})


ALLOWED_HOSTS = config.words("GWM_ALLOWED_HOSTS") or list_own_names()
if GWM_PUBLIC_URL:
    if not urlsplit(GWM_PUBLIC_URL).hostname:
        raise SettingError("GWM_PUBLIC_URL", "it names no host.", "Write it like https://gwm.example.org.")
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, str(urlsplit(GWM_PUBLIC_URL).hostname)]
    CSRF_TRUSTED_ORIGINS = [GWM_PUBLIC_URL.removesuffix(GWM_BELOW)]

# Monitoring
GWM_MONITORING_TOKEN = config.text("GWM_MONITORING_TOKEN")
if 0 < len(GWM_MONITORING_TOKEN) < 16:
    raise SettingError("GWM_MONITORING_TOKEN", "it is short enough to be guessed.", "Write 16 characters or more.")
GWM_MONITORING_NETWORKS = config.networks("GWM_MONITORING_NETWORKS")

# Logs: to standard error, in UTC, with known secrets and anything like a password taken out
LOG_LEVEL = config.text("GWM_LOG_LEVEL").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise SettingError("GWM_LOG_LEVEL", f"“{LOG_LEVEL}” is no level.", "Write DEBUG, INFO, WARNING or ERROR.")
LOG_FORMAT = config.text("GWM_LOG_FORMAT").lower()
if LOG_FORMAT not in {"text", "json"}:
    raise SettingError("GWM_LOG_FORMAT", f"“{LOG_FORMAT}” is no format of logs.", "Write text or json.")
_secrets = [*config.secret_values(), *(each.client_secret for each in GWM_OPENID_PROVIDERS)]
if GWM_DIRECTORY is not None and GWM_DIRECTORY.bind_password:
    _secrets.append(GWM_DIRECTORY.bind_password)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "known": {"()": "gwm.logs.KnownInOneLine"},
        "without_secrets": {
            "()": "gwm.logs.WithoutSecrets",
            "secrets": _secrets,
        },
    },
    "formatters": {"line": {"()": "gwm.logs.JsonLine" if LOG_FORMAT == "json" else "gwm.logs.LineInUTC"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["known", "without_secrets"]},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": LOG_LEVEL},
        "django.server": {"handlers": [], "propagate": True},
        "django.db.backends": {"level": "INFO"},
        "gwm.web": {"level": "WARNING"},  # Twisted's own lines
        "urllib3": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "amqp": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
    },
}
