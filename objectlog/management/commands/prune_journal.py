"""`manage.py prune_journal --keep-days N`: remove the oldest events; the chain of the others can still be verified."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from objectlog.chain import ChainBroken, cut, delete_cut, delete_entries, seal_all
from objectlog.verification import Verification


class Command(BaseCommand):
    help = "Removes the oldest events of the journal, and entries of which none is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep-days", type=int, required=True, metavar="N", help="how many days are kept")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep_days"] < 1:
            raise CommandError("At least one day is kept.")
        before = timezone.now() - timedelta(days=options["keep_days"])
        try:
            seal_all()
            if next(Verification().problems(), None) is not None:
                raise CommandError("The journal is not as it was written; nothing was removed. See verify_journal.")
            count = cut(before)
            delete_cut()
            delete_entries(before)
            seal_all()
        except ChainBroken as broken:
            raise CommandError(str(broken)) from broken
        self.stdout.write(f"{count} events removed")
