"""`manage.py check_installation begin|updates|end`: what deploy/probe.py needs to see whether the product works."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gwm.checking import NotUpdated, await_update, seal_check_ticket
from people.checking import delete_check_accounts, make_check_account

_PATIENCE_S = 60.0


class Command(BaseCommand):
    help = (
        "For a check of the whole installation, as `fab prod` does it after each change: an account that may do "
        "nothing and a ticket to no console (begin), an update of a cluster by beat and worker (updates), and the "
        "account's end (end). The journal has both."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("step", choices=["begin", "updates", "end"])
        parser.add_argument(
            "--patience", type=float, default=_PATIENCE_S, metavar="SECONDS", help="how long an update may take"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["step"] == "begin":
            person, password = make_check_account()
            ticket = seal_check_ticket(person.pk, person.username)
            self.stdout.write(json.dumps({"name": person.username, "password": password, "ticket": ticket}))
        elif options["step"] == "end":
            delete_check_accounts()
        else:
            try:
                self.stdout.write(await_update(options["patience"]))
            except NotUpdated as error:
                raise CommandError(str(error)) from error
