"""`manage.py role NAME KIND.VERB… --as ADMIN`: what a role holds; without verbs: what it holds now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.models import Via
from people.grants import change_role
from people.words import read_person
from permissions.selectors import find_role, list_verbs
from permissions.services import UnknownVerb


class Command(BaseCommand):
    help = "Sets what a role holds (everybody who has it holds that from then on), or shows it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("verbs", nargs="*", metavar="KIND.VERB", help="such as vm.power, cluster.create_vm")
        parser.add_argument("--description", default="")
        parser.add_argument("--as", dest="user", metavar="USER", help="who sets it: a superuser")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verbs"]:
            if not options["user"]:
                raise CommandError("Say who sets it: --as USER.")
            actor, described = read_person(options["user"]), options["description"]
            try:
                change_role(actor, via=Via.CLI, name=options["name"], verbs=options["verbs"], description=described)
            except (UnknownVerb, PermissionError) as error:
                raise CommandError(str(error)) from error
        role = find_role(options["name"])
        if role is None:
            raise CommandError(f"There is no role “{options['name']}”.")
        self.stdout.write(f"{role}: {', '.join(list_verbs(role)) or 'nothing'}")
