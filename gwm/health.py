"""How the service is doing, part by part: for the page "Health" and for `manage.py health`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import RedisError

from clusters.models import Cluster
from clusters.remedies import remedy_for
from clusters.states import state_of_cluster
from gwm.console_address import NoAnswer, ask, is_elsewhere
from gwm.outages import is_read_only
from gwm.processes_seen import Part, examine_processes
from gwm.queue_size import count_waiting, queue_folder
from gwm.readiness import HEARTBEAT_MAX_AGE_S, heartbeat_age_s, try_to_change, why_unwritable
from objectlog.chain import find_oldest_unsealed
from objectlog.streaming import find_backlog
from operations.triggers import are_there
from people.directory.described import Directory
from people.directory.state import read_state
from ui.moments import tell
from ui.said import in_figures
from virtualmachines.models import CountCheck
from vncproxy.client import ControlError, list_consoles, list_control_sockets

FREE_DISK_WANTED = 0.05
_CONSOLE_WITHIN_S = 2.0
DIFFERENCE_SHOWN_FOR = timedelta(days=7)
# Events are sent every few seconds.
STREAM_MAY_LAG = timedelta(minutes=5)
# They are sealed every two seconds.
SEAL_MAY_LAG = timedelta(minutes=1)


def examine_parts() -> list[Part]:
    """Every part as it is now. Asks no cluster. Where the database gives no answer or lacks tables, what lies in them
    is left out."""
    found = [replace(_database(), key="database")]
    is_there = found[0].kind == "ok" or found[0].word == _("read-only")
    if is_there:
        found.append(replace(_tables(), key="tables"))
    in_tables: dict[str, Callable[[], Part]] = {"counts": _counts, "seal": _seal}
    if found[0].kind == "ok":  # where nobody can sign, nobody is gone
        in_tables["processes"] = examine_processes
    if settings.GWM_JOURNAL_STREAM:
        in_tables["stream"] = _stream
    if settings.GWM_DIRECTORY is not None:
        in_tables["directory"] = _directory
    elsewhere: dict[str, Callable[[], Part]] = {"queue": _queue, "consoles": _consoles, "disk": _disk}
    has_tables = found[-1].key == "tables" and found[-1].kind == "ok"
    if has_tables or settings.REDIS_URL:  # the sign of life lies in one of them
        elsewhere = {"worker": _worker, **elsewhere}
    parts = {**(in_tables if has_tables else {}), **elsewhere}
    return [*found, *(replace(examine(), key=key) for key, examine in parts.items())]


def examine_clusters() -> list[Part]:
    """Every cluster, by what its last update found."""
    found = []
    for cluster in Cluster.objects.select_related("schedule").order_by("slug"):
        kind, word = state_of_cluster(cluster)
        detail = cluster.last_error or (tell(cluster.synced_at) if cluster.synced_at else "")
        remedy = remedy_for(cluster.last_error_kind) if cluster.last_error else ""
        found.append(Part(cluster.slug, kind, word, detail, remedy, key=cluster.slug))
    return found


def describe(parts: Iterable[Part], clusters: Iterable[Part]) -> dict[str, object]:
    """All of it for programs. A cluster that is away does not make the service ill."""
    parts = list(parts)
    kinds = {part.kind for part in parts}
    state = next((kind for kind in ("bad", "warn") if kind in kinds), "ok")
    return {"state": state, "parts": [asdict(each) for each in parts], "clusters": [asdict(each) for each in clusters]}


def _database() -> Part:
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        try_to_change()
    except DatabaseError as error:
        if is_read_only(error):
            remedy = _("Make it writable, or let DATABASE_URL name the server that takes changes.")
            return Part(_("Database"), "bad", _("read-only"), str(error), remedy)
        return Part(_("Database"), "bad", _("no answer"), str(error), _("Start the database, or correct DATABASE_URL."))
    took_ms = 1000 * (time.perf_counter() - began)
    return Part(_("Database"), "ok", _("answers"), f"{connection.vendor}, {in_figures(took_ms, 1)} ms")


def _tables() -> Part:
    """Those of the migrations, and the one of the cache, which no migration makes."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        word = ngettext("%d migration missing", "%d migrations missing", len(missing)) % len(missing)
        return Part(_("Tables"), "bad", word, "", _("Run manage.py prepare."))
    kept_in = str(settings.CACHES["default"]["LOCATION"])
    if not settings.REDIS_URL and kept_in not in connection.introspection.table_names():
        return Part(_("Tables"), "bad", _("one is missing"), kept_in, _("Run manage.py prepare."))
    return Part(_("Tables"), "ok", _("up to date"))


def _counts() -> Part:
    """What the nightly comparison found, for a week."""
    if not are_there(connection):
        return Part(_("Kept counts"), "ok", _("none"), _("machines are counted on this database"))
    check = CountCheck.objects.first()
    if check is None:
        return Part(_("Kept counts"), "ok", _("in use"), _("they have not been compared yet"))
    when = tell(check.checked_at)
    if check.differed_at is None or check.differed_at < timezone.now() - DIFFERENCE_SHOWN_FOR:
        return Part(_("Kept counts"), "ok", _("right"), _("they agree with the machines, as of %s") % when)
    remedy = _("They have been mended. Report this: counts are kept by triggers, which no change should pass by.")
    return Part(_("Kept counts"), "warn", _("were wrong"), check.differences, remedy)


def _worker() -> Part:
    try:
        age_s = heartbeat_age_s()
    except RedisError as error:
        return Part(_("Worker and beat"), "bad", _("unknown"), str(error), _("Start Redis, or correct REDIS_URL."))
    remedy = _("Start both: manage.py up does, or the units gwm-worker and gwm-beat.")
    if age_s is None:
        return Part(_("Worker and beat"), "bad", _("never seen"), "", remedy)
    detail = _("last sign of life %.0f s ago") % age_s
    if age_s <= HEARTBEAT_MAX_AGE_S:
        return Part(_("Worker and beat"), "ok", _("alive"), detail)
    return Part(_("Worker and beat"), "bad", _("unresponsive"), detail, remedy)


def _queue() -> Part:
    if settings.REDIS_URL:
        return Part(_("Queue"), "ok", "Redis", _("its state shows in the worker's sign of life"))
    waiting = count_waiting()
    if waiting > 1000:
        remedy = _("The worker does not keep up or is down.")
        return Part(_("Queue"), "warn", _describe_waiting(waiting), str(queue_folder()), remedy)
    return Part(_("Queue"), "ok", _describe_waiting(waiting), _("in files"))


def _describe_waiting(number: int) -> str:
    return ngettext("%d message waiting", "%d messages waiting", number) % number


def _seal() -> Part:
    oldest = find_oldest_unsealed()
    if oldest is None or oldest > timezone.now() - SEAL_MAY_LAG:
        return Part(_("Seal of the journal"), "ok", _("up to date"))
    remedy = _("The worker seals it: see that it runs. If it does, its log says what is in the way.")
    detail = _("nothing is sealed since %s") % tell(oldest)
    return Part(_("Seal of the journal"), "bad", _("behind"), detail, remedy)


def _stream() -> Part:
    backlog, address = find_backlog(), str(settings.GWM_JOURNAL_STREAM)
    if backlog.oldest is None or backlog.oldest > timezone.now() - STREAM_MAY_LAG:
        return Part(_("Journal stream"), "ok", _("up to date"), address)
    said = ngettext(
        "%(count)d event not sent, the oldest of %(when)s",
        "%(count)d events not sent, the oldest of %(when)s",
        backlog.events,
    )
    detail = f"{address}: {said % {'count': backlog.events, 'when': tell(backlog.oldest)}}"
    remedy = _("The log of the worker says what is in the way. Events are kept until they are sent.")
    return Part(_("Journal stream"), "warn", _("behind"), detail, remedy)


def _directory() -> Part:
    """What came of asking it last: people who sign in ask it, and the worker every few minutes."""
    directory: Directory | None = settings.GWM_DIRECTORY
    called, state, name = directory.name if directory else "", read_state(), _("LDAP directory")
    if state is None:
        return Part(name, "ok", _("not asked yet"), called)
    when = f"{called}, {tell(state.at)}"
    if not state.problem:
        return Part(name, "ok", _("answers"), when)
    if state.is_check:
        remedy = _("Look at it. If it is so, run manage.py check_directory --sure.")
        return Part(name, "warn", _("doubtful"), f"{when}: {state.problem}", remedy)
    remedy = _("Start it, or correct GWM_LDAP_FILE. Nobody is signed out; accounts with a password here sign in.")
    return Part(name, "bad", _("no answer"), f"{when}: {state.problem}", remedy)


def _consoles() -> Part:
    control = str(settings.GWM_CONSOLE_CONTROL)
    try:
        paths = list_control_sockets(control) or [control]
        consoles = [console for path in paths for console in list_consoles(path, timeout_s=2)]
    except ControlError as error:
        if Path(control).is_socket() and control in str(error):
            remedy = _("Start it: the unit gwm-console. If there is none any more, restart the web process.")
        else:
            remedy = _("It is a part of the web process: look at its log.")
        return Part(_("Console proxy"), "bad", _("no answer"), str(error), remedy)
    if is_elsewhere():
        try:
            ask(timeout_s=_CONSOLE_WITHIN_S)
        except NoAnswer as error:
            remedy = _("Start it on its host: the unit gwm-console. If it runs, look at what stands before it.")
            return Part(_("Console proxy"), "bad", _("no answer"), str(error), remedy)
    open_now = ngettext("%d console open", "%d consoles open", len(consoles)) % len(consoles)
    return Part(_("Console proxy"), "ok", _("answers"), open_now)


def _disk() -> Part:
    usage = shutil.disk_usage(settings.GWM_DATA_DIR)
    share = usage.free / usage.total
    detail = _("%(free)s GiB free of %(total)s GiB") % {
        "free": in_figures(usage.free / 2**30, 1),
        "total": in_figures(usage.total / 2**30, 1),
    }
    why = why_unwritable()
    if why:
        return Part(_("Disk of the data directory"), "bad", _("cannot be written"), detail, why)
    if share < FREE_DISK_WANTED:
        remedy = _("Make room: the database needs it.")
        return Part(_("Disk of the data directory"), "bad", _("nearly full"), detail, remedy)
    return Part(_("Disk of the data directory"), "ok", _("enough room"), detail)
