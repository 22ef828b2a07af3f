"""`manage.py role NAME KIND.VERB… --as ADMIN`: what a role holds; without verbs: what it holds now."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.models import Via
from operations.contract import SITE, Actor, Ask, Forbidden, Refusal, Unchanged
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.words import read_person
from permissions.selectors import find_role, list_verbs


class Command(BaseCommand):
    help = "Makes a role or sets what one holds (everybody who has it holds that from then on), or shows it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("verbs", nargs="*", metavar="KIND.VERB", help="such as vm.power, cluster.create_vm")
        parser.add_argument("--description", help="what it is for; left out: as it is")
        parser.add_argument("--as", dest="user", metavar="USER", help="who sets it: a superuser")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verbs"]:
            if not options["user"]:
                raise CommandError("Say who sets it: --as USER.")
            actor = Actor(read_person(options["user"]), Via.CLI)
            data = {"verbs": ",".join(options["verbs"])}
            if options["description"] is not None:
                data["description"] = options["description"]
            there = find_role(options["name"])
            operation = OPERATIONS["role.edit" if there is not None else "role.create"]
            target: Any = SITE if there is None else there
            if there is None:
                data["name"] = options["name"]
            try:
                with suppress(Unchanged):  # it holds what is said below
                    run(operation, Ask(actor, target, params_from(operation, actor, target, data)))
            except (Forbidden, Refusal) as error:
                raise CommandError(str(error)) from error
        role = find_role(options["name"])
        if role is None:
            raise CommandError(f"There is no role “{options['name']}”.")
        self.stdout.write(f"{role}: {', '.join(list_verbs(role)) or 'nothing'}")
