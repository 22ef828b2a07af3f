"""Every setting of the product, declared once: name, kind, default, meaning. docs/settings.md is compared with it.

gwm/config.py reads their values. Knows nothing of Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vncproxy.settings import PROXIES_BY_DEFAULT

BASE_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Setting:
    """One row of the table. `kind` is text, flag, integer, seconds, words (comma list), path or url."""

    name: str
    kind: str
    default: str
    help: str
    secret: bool = False
    least: float = 0
    most: float = float("inf")
    shown_default: str = ""


SETTINGS: tuple[Setting, ...] = (
    # where things are
    Setting("GWM_CONFIG", "path", "", "File with settings, one `NAME=value` a line.", shown_default="`<data>/gwm.env`"),
    Setting(
        "GWM_DATA_DIR",
        "path",
        str(BASE_DIR / "var"),
        "Directory of everything that must be kept: database, secrets, queue. Also `--data`.",
        shown_default="`var/` beside `manage.py`",
    ),
    Setting("GWM_VENV", "path", "", "Virtual environment that `./run` makes and uses.", shown_default="`.venv/`"),
    Setting(
        "DATABASE_URL",
        "url",
        "",
        "Database: `postgres://user:password@host/name`, `mysql://…`, `sqlite:////path`.",
        secret=True,
        shown_default="SQLite in the data directory",
    ),
    Setting(
        "GWM_PREPARE_STATEMENTS",
        "flag",
        "yes",
        "Let PostgreSQL plan each statement once a connection. Say no behind PgBouncer that pools transactions.",
    ),
    Setting(
        "REDIS_URL",
        "url",
        "",
        "Redis as queue, cache and memory of used console tickets: `redis://[:password@]host:6379/0`.",
        secret=True,
        shown_default="queue in files, cache in the database",
    ),
    # reaching it
    Setting("GWM_BIND", "text", "127.0.0.1", "Address to listen on. Also `--bind`."),
    Setting("GWM_PORT", "integer", "8000", "Port to listen on; 0 takes a free one. Also `--port`.", most=65535),
    Setting(
        "GWM_PUBLIC_URL",
        "url",
        "",
        "Address people type, such as `https://gwm.example.org`, or `https://example.org/gwm` to live below a path. "
        "With https, cookies travel over https only.",
    ),
    Setting(
        "GWM_ALLOWED_HOSTS",
        "words",
        "",
        "Host names under which the pages may be asked for.",
        shown_default="this machine's names and the host of `GWM_PUBLIC_URL`",
    ),
    Setting("GWM_TLS_CERT", "path", "", "Certificate chain (PEM) for https without a proxy. Also `--tls-cert`."),
    Setting("GWM_TLS_KEY", "path", "", "Its private key (PEM). Also `--tls-key`."),
    Setting(
        "GWM_BEHIND_PROXY",
        "flag",
        "no",
        "Believe `X-Forwarded-For` and `X-Forwarded-Proto` of trusted proxies, which must set both themselves.",
    ),
    Setting(
        "GWM_TRUSTED_PROXIES",
        "words",
        PROXIES_BY_DEFAULT,
        "Networks of these proxies, such as `10.0.0.5,fd00::/64`. The limit of connections per address spares them.",
        shown_default="this machine (`127.0.0.0/8,::1/128`)",
    ),
    Setting(
        "GWM_CONNECTIONS_PER_ADDRESS",
        "integer",
        "256",
        "Connections that one client address may have open at a time in one web process; an open page holds one.",
        least=1,
        most=100_000,
    ),
    Setting("GWM_WEB_PROCESSES", "integer", "1", "Web processes of `./run`.", least=1, most=64),
    Setting("GWM_WEB_THREADS", "integer", "12", "Threads that answer pages, in each web process.", least=1, most=200),
    # secrets
    Setting(
        "GWM_SECRET_KEY",
        "text",
        "",
        "Signs sessions and links. A new one logs everybody out.",
        secret=True,
        shown_default="generated into `<data>/secrets.env`",
    ),
    Setting(
        "GWM_FIELD_KEYS",
        "words",
        "",
        "Encrypt RAPI passwords; the first encrypts, all decrypt. See `manage.py rotate_field_keys`.",
        secret=True,
        shown_default="generated into `<data>/secrets.env`",
    ),
    Setting(
        "GWM_CONSOLE_KEYS",
        "words",
        "",
        "Seal console tickets; web and console proxy share them.",
        secret=True,
        shown_default="generated into `<data>/secrets.env`",
    ),
    Setting(
        "GWM_JOURNAL_KEYS",
        "words",
        "",
        "Seal the journal; the first seals, all verify. All workers share them.",
        secret=True,
        shown_default="generated into `<data>/secrets.env`",
    ),
    Setting(
        "GWM_BACKUP_PASSPHRASE",
        "text",
        "",
        "Seals keys and settings in backups; without one they are left out. Keep it elsewhere, too.",
        secret=True,
    ),
    Setting(
        "GWM_ADMIN_PASSWORD",
        "text",
        "",
        "Password of the first account, `admin`, when it is made.",
        secret=True,
        shown_default="generated and printed once",
    ),
    # clusters
    Setting(
        "GWM_SYNC_INTERVAL_S", "seconds", "60", "Time between two looks at a cluster in rest.", least=5, most=86400
    ),
    Setting(
        "GWM_RAPI_CONNECT_TIMEOUT_S", "seconds", "5", "How long to wait for a cluster to answer at all.", least=0.1
    ),
    Setting("GWM_RAPI_READ_TIMEOUT_S", "seconds", "60", "How long to wait for the answer to one request.", least=0.1),
    Setting("GWM_WORKER_THREADS", "integer", "8", "Clusters looked at the same time.", least=1, most=500),
    Setting(
        "GWM_BATCH_JOBS",
        "integer",
        "4",
        "Jobs of batches that are under way on a cluster at a time.",
        least=1,
        most=500,
    ),
    Setting(
        "GWM_BATCH_CALLS",
        "integer",
        "2",
        "Calls by which a worker gives a cluster jobs of batches at the same time.",
        least=1,
        most=10,
    ),
    Setting(
        "GWM_BATCH_LANES",
        "integer",
        "32",
        "Clusters on which a worker carries out batches at the same time; half of them may hang.",
        least=1,
        most=500,
    ),
    Setting("GWM_QUOTAS_COUNT_STOPPED", "flag", "no", "Whether memory and vCPUs of stopped machines count in quotas."),
    Setting(
        "GWM_MOST_DISKS", "integer", "16", "Disks that a machine can be given here; Ganeti takes 16.", least=1, most=16
    ),
    Setting(
        "GWM_MOST_NICS",
        "integer",
        "8",
        "Network cards that a machine can be given here; Ganeti takes 8.",
        least=1,
        most=8,
    ),
    Setting("GWM_DEMO", "flag", "yes", "Start the demo cluster when there is no cluster yet. Also `--no-demo`."),
    # console
    Setting("GWM_CONSOLE_TICKET_S", "seconds", "30", "Life of a console ticket.", least=5, most=600),
    Setting("GWM_CONSOLE_CONNECT_TIMEOUT_S", "seconds", "5", "Time to reach a machine's console.", least=0.1),
    Setting("GWM_CONSOLE_IDLE_S", "seconds", "0", "Close a console after so much silence; 0 never does."),
    Setting(
        "GWM_CONSOLE_NETWORKS",
        "words",
        "",
        "Client networks that may open consoles, such as `10.0.0.0/8,fd00::/8`.",
        shown_default="all",
    ),
    Setting(
        "GWM_CONSOLE_URL",
        "text",
        "",
        "Path or address of the console's WebSocket.",
        shown_default="`/console/ws`, below the path of `GWM_PUBLIC_URL`",
    ),
    Setting(
        "GWM_CONSOLE_ORIGINS",
        "words",
        "",
        "Further origins whose pages may open consoles, such as `https://gwm.example.org`.",
        shown_default="the host that serves them and `GWM_PUBLIC_URL`",
    ),
    Setting(
        "GWM_CONSOLE_NODE_NETWORKS",
        "words",
        "",
        "Networks of nodes that consoles may reach. Loopback, link-local and this host's own addresses only if named "
        "by themselves, such as `127.0.0.0/8`.",
        shown_default="all but loopback, link-local and this host's own",
    ),
    Setting("GWM_CONSOLE_HANDSHAKE_TIMEOUT_S", "seconds", "10", "Time for a browser to log in there.", least=0.1),
    Setting("GWM_CONSOLE_LIMIT", "integer", "1000", "Consoles open at the same time, in one process.", least=1),
    Setting("GWM_CONSOLE_PICTURES", "integer", "4", "Pictures of screens taken at a time, in one process; 0: none."),
    Setting("GWM_CONSOLE_PICTURE_S", "seconds", "30", "Oldest picture of a screen that is shown again."),
    Setting("GWM_CONSOLE_PICTURES_PER_MINUTE", "integer", "30", "Pictures of screens that one person may have taken."),
    Setting(
        "GWM_CONSOLE_CONTROL",
        "path",
        "",
        "Socket on which open consoles are listed and closed.",
        shown_default="`<data>/console.sock`",
    ),
    Setting("GWM_CONSOLE_BIND", "text", "127.0.0.1", "Address of `python -m vncproxy`, a console proxy of its own."),
    Setting("GWM_CONSOLE_PORT", "integer", "8888", "Port of `python -m vncproxy`.", least=1, most=65535),
    # mail
    Setting(
        "GWM_JOURNAL_STREAM",
        "text",
        "",
        "Where the journal is sent as it is sealed: `file:///path`, `syslog:///dev/log`, or `syslog+udp://`, "
        "`syslog+tcp://`, `syslog+tls://` with `host[:port]` (and `?ca=/path`).",
        shown_default="nowhere",
    ),
    Setting(
        "GWM_MAIL_URL",
        "url",
        "",
        "Mail server: `smtp`, `smtp+tls` or `smtps`, `://[user:password@]host[:port]`. Needs `GWM_PUBLIC_URL`.",
        secret=True,
        shown_default="no mail is sent",
    ),
    Setting("GWM_MAIL_FROM", "text", "", "Sender of mails.", shown_default="`gwm@` and the host of `GWM_PUBLIC_URL`"),
    # accounts
    Setting(
        "GWM_OPENID_FILE",
        "path",
        "",
        "OpenID Connect providers with which people sign in, see [rights.md](rights.md#openid-connect).",
        shown_default="`<data>/openid.toml`",
    ),
    Setting(
        "GWM_LDAP_FILE",
        "path",
        "",
        "LDAP directory whose passwords people sign in with, see [ldap.md](ldap.md).",
        shown_default="`<data>/ldap.toml`",
    ),
    Setting(
        "GWM_REGISTRATION",
        "flag",
        "no",
        "Let people make accounts for themselves, which may do nothing yet. Needs `GWM_MAIL_URL`.",
    ),
    Setting(
        "GWM_REGISTRATION_DOMAINS",
        "words",
        "",
        "Mail domains whose addresses may register, such as `example.org,example.net`.",
        shown_default="all",
    ),
    # pages
    Setting(
        "GWM_THEME_DIR",
        "path",
        "",
        "Directory with a name, a logo, colours, texts, templates and a style sheet of one's own, see "
        "[themes.md](themes.md).",
        shown_default="`<data>/theme`, if there is one",
    ),
    Setting("GWM_PAGE_SIZE", "integer", "50", "Rows on a page of a list.", least=5, most=500),
    Setting(
        "GWM_TIME_ZONE",
        "text",
        "UTC",
        "Time zone of dates on pages where neither the person nor the browser says one, such as `Europe/Athens`. "
        "Logs are UTC.",
    ),
    Setting("GWM_LANGUAGE", "text", "en", "Language of pages and mails where none was chosen: `en`, `el` or `es`."),
    Setting(
        "GWM_DATE_FORMAT", "text", "Y-m-d", "Days on pages, such as `d/m/Y` or `j.n.y`; words follow the language."
    ),
    Setting("GWM_SESSION_S", "seconds", "1209600", "How long one stays logged in.", least=300),
    Setting(
        "GWM_DEMAND_SECOND_FACTOR",
        "text",
        "nobody",
        "Who must have a second factor to sign in: `nobody`, `administrators` or `everybody`.",
    ),
    # monitoring
    Setting(
        "GWM_MONITORING_TOKEN",
        "text",
        "",
        "With it (`Authorization: Bearer …`) a program reads `/metrics`, and in `/readyz` what is wrong; 16 characters "
        "at least.",
        secret=True,
        shown_default="nobody has one",
    ),
    Setting(
        "GWM_MONITORING_NETWORKS",
        "words",
        "",
        "Networks from which these are read without a token, such as `192.0.2.7/32,fd00::/64`.",
        shown_default="none",
    ),
    Setting("GWM_LOG_LEVEL", "text", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting(
        "GWM_LOG_FORMAT",
        "text",
        "text",
        "How lines of the log are written: `text`, or `json`, one object a line ([health.md](health.md#logs)).",
    ),
    Setting("GWM_DEBUG", "flag", "no", "Django's debug pages. Never on a machine that others reach."),
)
TABLE: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}
