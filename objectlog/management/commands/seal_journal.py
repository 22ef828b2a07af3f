"""`manage.py seal_journal`: seal what is waiting, as the worker does every few seconds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.chain import ChainBroken, seal_all


class Command(BaseCommand):
    help = "Seals the events of the journal that are waiting for it. The worker does this by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(f"{seal_all()} events sealed")
        except ChainBroken as broken:
            raise CommandError(str(broken)) from broken
