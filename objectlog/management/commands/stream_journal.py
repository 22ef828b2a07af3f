"""`manage.py stream_journal`: send what was sealed where GWM_JOURNAL_STREAM says; the worker does so by itself."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from objectlog.streaming import Unreachable, stream_all


class Command(BaseCommand):
    help = "Sends what was sealed of the journal and not yet sent to a file or to syslog."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.GWM_JOURNAL_STREAM:
            raise CommandError("GWM_JOURNAL_STREAM is not set: it says where the journal is sent.")
        try:
            count = stream_all()
        except Unreachable as unreachable:
            raise CommandError(str(unreachable)) from unreachable
        self.stdout.write(f"{count} events sent")
