"""Celery tasks of the house itself. Shells: what they do stands elsewhere."""

import logging

from celery import shared_task
from django.conf import settings
from django.core.management import call_command

from gwm.consoles import close_forbidden_consoles
from gwm.live.reader import forget_old
from gwm.readiness import note_heartbeat
from gwm.signs import forget_gone
from objectlog.chain import seal_all
from objectlog.streaming import Unreachable, stream_all
from vncproxy.client import ControlError, list_control_sockets

logger = logging.getLogger("gwm.tasks")


@shared_task
def record_heartbeat() -> None:
    """Prove that beat sends and a worker receives; /readyz reads it."""
    note_heartbeat()


@shared_task
def forget_old_sessions() -> None:
    """Delete sessions that have run out."""
    call_command("clearsessions")


@shared_task
def forget_gone_processes() -> None:
    """Delete what processes said of themselves that have been gone for a day."""
    forget_gone()


@shared_task
def seal_journal() -> None:
    """Put new events of the journal into its chain."""
    seal_all()


@shared_task
def stream_journal() -> None:
    """Send what was sealed where it is to go."""
    try:
        stream_all()
    except Unreachable as unreachable:
        logger.warning("the journal could not be sent, and is tried again: %s", unreachable)


@shared_task
def forget_what_was_touched() -> None:
    """Delete what was written down for open pages and has been read by all."""
    forget_old()


@shared_task
def close_consoles_without_right() -> int:
    """Close the consoles of this host's processes whose right has gone; how many. No process here: none to close."""
    closed = 0
    for path in list_control_sockets(str(settings.GWM_CONSOLE_CONTROL)):
        try:
            closed += close_forbidden_consoles(path)
        except ControlError as error:
            logger.warning("consoles could not be compared with the rights: %s", error)
    return closed
