"""Celery tasks of accounts. Shells: what they do stands elsewhere."""

from celery import shared_task

from people.mailing import send_due_letters


@shared_task
def send_letters() -> None:
    """Send the mails that are due."""
    send_due_letters()
