"""`manage.py check_counts`: whether the counts that are kept agree with the machines; what differs is mended."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from virtualmachines.counts import check_counts


class Command(BaseCommand):
    help = "Compares the counts that are kept with the machines, says what differs, and mends it."

    def handle(self, *args: Any, **options: Any) -> None:
        differences = check_counts()
        for line in differences:
            self.stdout.write(line)
        if differences:
            what = "1 difference was" if len(differences) == 1 else f"{len(differences)} differences were"
            raise CommandError(f"{what} mended.")
        self.stdout.write("The counts that are kept agree with the machines.")
