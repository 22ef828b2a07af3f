"""Migrations beside an old release that goes on answering.

On PostgreSQL, who wants a table for themselves waits for whoever reads it, be it a backup of minutes, and everybody
else waits behind. So nothing is waited for longer than a moment: then the way is made free, and after a pause the same
is tried again. What a migration had begun is undone by its transaction, and those that were through before stay, with
which the old release can live. MariaDB undoes no change of a table: there half a migration would be left, and its
waits have the limit that the server sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from operations.triggers import install_triggers

WAIT_S = 3.0  # of everybody behind us; each table anew
PAUSE_S = 10.0
TRIES = 12
#: somebody held it for too long; two waited for each other
_LOCKED = ("55P03", "40P01")
_NAMED = 5  # sessions
_HOLDERS = """
SELECT l.pid, a.usename, a.application_name, a.state, age(clock_timestamp(), a.xact_start)::interval(0)::text,
       string_agg(DISTINCT c.relname, ', ')
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid <> pg_backend_pid() AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY l.pid, a.usename, a.application_name, a.state, a.xact_start ORDER BY a.xact_start NULLS LAST
"""


def migrate_patiently(
    say: Callable[[str], None],
    *,
    wait_s: float = WAIT_S,
    tries: int = TRIES,
    pause: Callable[[], None] = lambda: time.sleep(PAUSE_S),
) -> None:
    """Bring the tables up to date. Raises CommandError when somebody holds one of them all the time."""
    for number in range(1, tries + 1):
        try:
            with _waiting_at_most(wait_s):
                call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            if not _is_locked(error):
                raise
            holders, has_triggers = _describe_holders(), _have_triggers_again(wait_s)
            if number == tries:
                raise CommandError(_describe_end(holders, has_triggers=has_triggers)) from error
            say(f"A table is in use by {holders}. Trying again, {number} of {tries} …")
            pause()
        else:
            return


@contextmanager
def _waiting_at_most(seconds: float) -> Iterator[None]:
    """For a table or a row. A PgBouncer that pools transactions would give this setting to whoever comes next."""
    if connection.vendor != "postgresql" or connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{int(seconds * 1000)}ms"])
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")


def _is_locked(error: OperationalError) -> bool:
    return connection.vendor == "postgresql" and getattr(error.__cause__, "sqlstate", None) in _LOCKED


def _have_triggers_again(wait_s: float) -> bool:
    """Whether they are there: the old release relies on what they keep, and migrations begin by taking them off."""
    try:
        with _waiting_at_most(wait_s):
            install_triggers(connection)
    except OperationalError as error:
        if not _is_locked(error):
            raise
        return False
    return True


def _describe_holders() -> str:
    """Who has something open that keeps tables of ours; of other accounts, PostgreSQL tells little but the number."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS)
        rows = cursor.fetchall()
    if not rows:
        return "a session that has ended meanwhile"
    told = []
    for pid, account, program, state, age, tables in rows[:_NAMED]:
        known = [account, program, state, f"for {age}" if age else ""]
        told.append(f"session {pid} ({', '.join([*filter(None, known), tables])})")
    return ", ".join([*told, *([f"{len(rows) - _NAMED} more"] if len(rows) > _NAMED else [])])


def _describe_end(holders: str, *, has_triggers: bool) -> str:
    lines = [
        f"The database is not up to date: a table is in use by {holders}.",
        "What was waiting for it has changed nothing, and the release before can go on. Try again when that has ended, "
        "or end it (SELECT pg_terminate_backend(NUMBER)).",
    ]
    if not has_triggers:
        lines.append("Until then kept counts and open pages are not renewed at once: the triggers could not be made.")
    return "\n".join(lines)
