"""`manage.py verify_journal [--expect NUMBER:SEAL]`: is the journal as it was written?"""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.verification import Verification

# So many problems are named; the others are counted.
NAMED = 100


class Command(BaseCommand):
    help = "Finds altered, missing, reordered and unsealed events of the journal; exits 1 if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--expect",
            type=_read_expected,
            metavar="NUMBER:SEAL",
            help="what a former run has printed and you have kept elsewhere: that event must still be there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verification, count = Verification(expected=options["expect"]), 0
        for problem in verification.problems():
            count += 1
            if count <= NAMED:
                self.stderr.write(problem)
        if count > NAMED:
            self.stderr.write(f"… and {count - NAMED} more.")
        if count:
            raise CommandError(
                f"The journal is not as it was written: {count} {'problem' if count == 1 else 'problems'} "
                f"in {verification.checked} events."
            )
        self.stdout.write(
            f"The journal is as it was written: {verification.checked} events. "
            f"The newest: {verification.number}:{verification.seal}"
        )


def _read_expected(text: str) -> tuple[int, str]:
    number, _colon, seal = text.partition(":")
    if not number.isdecimal() or len(seal) != 64:
        raise ArgumentTypeError("write it as verify_journal prints it: the number, a colon, 64 digits")
    return int(number), seal
