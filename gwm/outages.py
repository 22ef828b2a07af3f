"""What keeps the product from working without being its fault.

A disk that is full or read-only, a database that is away or takes no changes, a Redis that is away.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from redis import ConnectionError as RedisConnectionError
from redis import TimeoutError as RedisTimeoutError

_FULL = {errno.ENOSPC, errno.EDQUOT}
# SQLSTATE: 08 connection lost, 57P shut down, 53300 too many connections, 53100 disk full
_POSTGRES_DISK_FULL = "53100"
_POSTGRES_READ_ONLY = "25006"  # a standby, or default_transaction_read_only
_POSTGRES_AWAY = ("08", "57P", "533")
# no room for the memory that connections share, which lies beside the database: even reading begins with it
_SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
_SQLITE_AWAY = ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_PERM")
# a connection that was open when the disk became read-only says that it could not write
_SQLITE_READ_ONLY = ("SQLITE_READONLY", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")
_SQLITE_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
# CR_CONNECTION_ERROR to CR_SERVER_LOST; the server is full (1021, 1114), has too many connections, shuts down
_MYSQL_AWAY = {1040, 1053, 2002, 2003, 2005, 2006, 2013}
_MYSQL_DISK_FULL = {1021, 1114}
_MYSQL_READ_ONLY = {1290, 1792, 1836}


class _Kind(Enum):
    DISK = "disk"
    READ_ONLY = "read-only"
    DATABASE = "database"
    BUSY = "busy"
    REDIS = "redis"


@dataclass(frozen=True)
class Outage:
    """What a person reads about it; `%(name)s` in the text is what the service is called here."""

    title: str | Promise
    text: str | Promise
    remedy: str | Promise


_TOLD = {
    _Kind.DISK: Outage(
        _("The disk is full"),
        _("%(name)s cannot save anything, so what you asked for may not have been carried out."),
        _("Make room on the disk of the data directory or of the database, then look at the journal and try again."),
    ),
    _Kind.READ_ONLY: Outage(
        _("Nothing can be saved"),
        _(
            "The disk or the database takes no changes: it is read-only, or it fails. "
            "So what you asked for may not have been carried out."
        ),
        _("Pages can still be read. Whoever runs this service finds the reason in its log and by manage.py health."),
    ),
    _Kind.DATABASE: Outage(
        _("The database does not answer"),
        _("%(name)s works again as soon as its database does. Your clusters and machines are not affected."),
        _("Try again in a moment. If it stays, tell whoever runs this service."),
    ),
    _Kind.BUSY: Outage(
        _("The database is busy"),
        _("Others are writing at this moment, and it took too long to wait for them. Nothing was saved."),
        _("Try again in a moment."),
    ),
    _Kind.REDIS: Outage(
        _("Redis does not answer"),
        _("%(name)s works again as soon as Redis does. Your clusters and machines are not affected."),
        _("Try again in a moment. If it stays, tell whoever runs this service."),
    ),
}


def explain_outage(error: BaseException | None) -> Outage | None:
    """What the person is told about an error that comes from an outage; None for one that is our own fault."""
    kind = _find_kind(error)
    if kind is None:
        return None
    told = _TOLD[kind]
    return replace(told, text=told.text % {"name": settings.GWM_THEME.name})


def tell_operator(error: BaseException) -> str | None:
    """The same in a line for whoever called a command, with what the driver says of it; None: our own fault."""
    for link in _chain(error):
        kind = _judge(link)
        if kind is not None:
            return f"{_TOLD[kind].title}: {' '.join(str(link).split())}"
    return None


def is_disk_full(error: BaseException | None) -> bool:
    """Whether there was no room to write, for us or for the database."""
    return _find_kind(error) is _Kind.DISK


def is_read_only(error: BaseException | None) -> bool:
    """Whether the disk or the database can be read and takes no changes."""
    return _find_kind(error) is _Kind.READ_ONLY


def _find_kind(error: BaseException | None) -> _Kind | None:
    for link in _chain(error):
        kind = _judge(link)
        if kind is not None:
            return kind
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from: Django wraps what a database's driver raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _judge(error: BaseException) -> _Kind | None:
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)):
        return _Kind.REDIS
    if isinstance(error, OSError) and error.errno in _FULL:
        return _Kind.DISK
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return _Kind.READ_ONLY
    if isinstance(error, InterfaceError):
        return _Kind.DATABASE
    if isinstance(error, DatabaseError):
        return _judge_database(error)
    return None


def _judge_database(error: DatabaseError) -> _Kind | None:
    """From what the driver says: SQLite's name of the error, PostgreSQL's SQLSTATE, MySQL's number."""
    said = error.__cause__ or error
    name = getattr(said, "sqlite_errorname", None)
    if name is not None:
        return _judge_sqlite(name)
    if hasattr(said, "sqlstate"):
        return _judge_postgres(said.sqlstate, error)
    number = said.args[0] if said.args else None
    if number in _MYSQL_DISK_FULL:
        return _Kind.DISK
    if number in _MYSQL_READ_ONLY:
        return _Kind.READ_ONLY
    return _Kind.DATABASE if number in _MYSQL_AWAY else None


def _judge_sqlite(name: str) -> _Kind | None:
    if name in _SQLITE_FULL:
        return _Kind.DISK
    if name.startswith(_SQLITE_READ_ONLY):
        return _Kind.READ_ONLY
    if name.startswith(_SQLITE_BUSY):
        return _Kind.BUSY
    return _Kind.DATABASE if name.startswith(_SQLITE_AWAY) else None


def _judge_postgres(state: str | None, error: DatabaseError) -> _Kind | None:
    """Without a state the server did not say it: the driver did, and of a lost connection only."""
    if state is None:
        return _Kind.DATABASE if isinstance(error, OperationalError) else None
    if state == _POSTGRES_DISK_FULL:
        return _Kind.DISK
    if state == _POSTGRES_READ_ONLY:
        return _Kind.READ_ONLY
    return _Kind.DATABASE if state.startswith(_POSTGRES_AWAY) else None
