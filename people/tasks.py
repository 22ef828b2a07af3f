"""Celery tasks of accounts and usage. Shells: what they do stands elsewhere."""

from contextlib import suppress

from celery import shared_task

from people.directory.asking import NoAnswer
from people.directory.checking import Doubtful, check
from people.ended import take_quotas_of_ended
from people.mailing import send_due_letters
from people.usage_history import record_usage


@shared_task
def send_letters() -> None:
    """Send the mails that are due."""
    send_due_letters()


@shared_task
def keep_usage() -> None:
    """Keep what everybody uses now, if it is the most of the day."""
    record_usage()


@shared_task
def take_ended_quotas() -> None:
    """Have quotas go with rights that have ended by themselves."""
    take_quotas_of_ended()


@shared_task
def check_directory() -> None:
    """Put out who has left the directory. That it can't be asked stands in the log and on the page "Health"."""
    with suppress(NoAnswer, Doubtful):
        check()
