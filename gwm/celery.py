"""The Celery app and its timetable. Rows in the database are the truth; a message only says "look now"."""

from __future__ import annotations

import os
import socket
import warnings
from typing import Any

from celery import Celery, Task
from celery.platforms import SecurityWarning
from celery.schedules import crontab
from celery.signals import beat_init, setup_logging, worker_ready
from django.conf import settings
from django.urls import set_script_prefix
from kombu.entity import Exchange, Queue

from gwm import queue_files, signs
from gwm.databases import REDIS_LIMITS
from gwm.processes.ready import tell_ready
from gwm.roomy import call_with_room
from objectlog.logged import logged_with

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gwm.settings")
# Whoever runs `up` as root has decided so; the demo machine of a newcomer is where that happens.
warnings.filterwarnings("ignore", category=SecurityWarning)

_QUEUE = "gwm"
# What every worker is told, as each host has consoles of its own.
_EVERYWHERE = "gwm-everywhere"
# An entry's message is worthless when its successor is due: it expires, so a worker that was away does not find
# a heap of them.
TIMETABLE: dict[str, dict[str, Any]] = {
    "sync": {"task": "updates.tasks.sync_due_clusters", "schedule": 3.0, "options": {"expires": 5}},
    "follow": {"task": "updates.tasks.follow_jobs", "schedule": 1.5, "options": {"expires": 2}},
    "batches": {"task": "operations.tasks.carry_on_batches", "schedule": 1.5, "options": {"expires": 2}},
    "consoles": {"task": "gwm.tasks.close_consoles_without_right", "schedule": 3.0, "options": {"expires": 5}},
    "letters": {"task": "people.tasks.send_letters", "schedule": 3.0, "options": {"expires": 5}},
    "heartbeat": {"task": "gwm.tasks.record_heartbeat", "schedule": 5.0, "options": {"expires": 5}},
    "seal-journal": {"task": "gwm.tasks.seal_journal", "schedule": 2.0, "options": {"expires": 3}},
    "stream-journal": {"task": "gwm.tasks.stream_journal", "schedule": 5.0, "options": {"expires": 5}},
    "forget-touched": {"task": "gwm.tasks.forget_what_was_touched", "schedule": 60.0, "options": {"expires": 60}},
    "fold-counts": {"task": "virtualmachines.tasks.fold_counts", "schedule": 60.0, "options": {"expires": 60}},
    "ended-quotas": {"task": "people.tasks.take_ended_quotas", "schedule": 60.0, "options": {"expires": 60}},
    "check-directory": {"task": "people.tasks.check_directory", "schedule": 300.0, "options": {"expires": 300}},
    "keep-usage": {"task": "people.tasks.keep_usage", "schedule": crontab(minute="7")},
    "check-counts": {"task": "virtualmachines.tasks.check_counts", "schedule": crontab(hour="3", minute="41")},
    "forget-plans": {"task": "operations.tasks.forget_old_plans", "schedule": crontab(minute="23")},
    "forget-processes": {"task": "gwm.tasks.forget_gone_processes", "schedule": crontab(hour="3", minute="29")},
    "forget-sessions": {"task": "gwm.tasks.forget_old_sessions", "schedule": crontab(hour="3", minute="17")},
}


def describe_broker() -> dict[str, Any]:
    """Return Celery's options for Redis, or for a queue of files in the data directory."""
    if settings.REDIS_URL:
        # Where it is well, what waits for messages is answered each second, so the limit cuts off none.
        options = {"global_keyprefix": "gwm:", **REDIS_LIMITS}
        return {"broker_url": settings.REDIS_URL, "broker_transport_options": options}
    folder = settings.GWM_DATA_DIR / "queue"
    return {
        # with a host name, or kombu logs "No hostname was supplied" again and again
        "broker_url": f"{queue_files.SCHEME}://localhost//",
        "broker_transport_options": {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "processed_folder": str(folder / "processed"),
            "control_folder": str(folder / "control"),  # without it `inspect` and `revoke` find nobody
            "polling_interval": 0.2,
        },
    }


def describe_queues() -> dict[str, Any]:
    """Return which queues there are: with Redis workers may be on several hosts, and one queue reaches all of them."""
    if not settings.REDIS_URL:
        return {}
    everywhere = Exchange(_EVERYWHERE, type="fanout")  # type: ignore[no-untyped-call]
    # by the host's name, so that Redis does not remember one for each worker that there ever was
    of_host = Queue(  # type: ignore[no-untyped-call]
        f"{_EVERYWHERE}.{socket.gethostname()}", everywhere, routing_key=_EVERYWHERE, auto_delete=True
    )
    # who sends has to declare it: to one who does not know it, it is a queue of which one worker takes each message
    route = {"exchange": _EVERYWHERE, "exchange_type": "fanout", "routing_key": _EVERYWHERE, "declare": [everywhere]}
    return {
        "task_queues": [Queue(_QUEUE), of_host],  # type: ignore[no-untyped-call]
        "task_routes": {"gwm.tasks.close_consoles_without_right": route},
    }


def describe_celery() -> dict[str, Any]:
    """Return all of Celery's settings; read when the app is first used, so that Django's are there."""
    return {
        **describe_broker(),
        **describe_queues(),
        "broker_connection_retry_on_startup": True,
        "task_default_queue": _QUEUE,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_store_errors_even_if_ignored": False,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "worker_enable_remote_control": True,
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": TIMETABLE,
        "beat_schedule_filename": str(settings.GWM_DATA_DIR / "queue" / "timetable"),
        "beat_max_loop_interval": 1,
        "beat_scheduler": "gwm.timetable:Timetable",
    }


class RoomyTask(Task):  # type: ignore[misc] # Celery has no types
    """A task of ours. Its frames have room: where an update's calls happen to stand at the end of a chunk of frames, it
    takes memory from the system and gives it back some fourteen hundred times."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Do it. URLs begin as on pages: Django tells its threads in requests, and the first thread at the start."""
        set_script_prefix(settings.FORCE_SCRIPT_NAME or "/")
        with logged_with(task=self.request.id):
            signs.worked()
            try:
                return call_with_room(lambda call: call(*args, **keywords), super().__call__)
            finally:
                signs.worked()


queue_files.register()
app = Celery("gwm", task_cls=RoomyTask)
app.add_defaults(describe_celery)
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Leave logging as settings.LOGGING has it: connecting is what stops Celery from making its own."""


@worker_ready.connect
@beat_init.connect
def tidy_queue(**_: object) -> None:
    """Remove what processes left in the queue's folders that were killed while they wrote."""
    queue_files.remove_unfinished(settings.GWM_DATA_DIR / "queue")


@worker_ready.connect
def sign_as_worker(**_: object) -> None:
    """Say from now on that this worker is there."""
    signs.begin("worker", _QUEUE)


@beat_init.connect
def sign_as_beat(**_: object) -> None:
    """Likewise of beat."""
    signs.begin("beat")


@worker_ready.connect
@beat_init.connect
def tell_supervisor(**_: object) -> None:
    """Tell `manage.py up` that this process does its work now."""
    tell_ready()
