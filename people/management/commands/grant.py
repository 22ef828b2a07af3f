"""`manage.py grant USER|@GROUP VERB… CLUSTER[/MACHINE] --as ADMIN`: rights, until they have a page."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.http import Http404

from clusters.moved import Moved
from clusters.selectors import get_cluster
from objectlog.models import Via
from people.grants import change_grants
from permissions.models import User
from permissions.selectors import find_group, find_user
from permissions.services import UnknownVerb
from virtualmachines.selectors import get_vm


class Command(BaseCommand):
    help = "Gives or takes rights on a cluster or a machine, and journals it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="a user name, or @ and the name of a group")
        parser.add_argument("verbs", nargs="+", help="rights, such as admin, power, create_vm")
        parser.add_argument("--on", required=True, metavar="CLUSTER[/MACHINE]")
        parser.add_argument("--revoke", action="store_true", help="take them instead of giving them")
        parser.add_argument("--as", dest="user", required=True, metavar="USER", help="who grants; needs admin there")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = find_user(options["user"])
        if actor is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        who = _find_grantee(options["who"])
        slug, _, name = options["on"].partition("/")
        try:
            target = get_vm(actor, slug, name) if name else get_cluster(actor, slug)
        except Moved as moved:
            raise CommandError(str(moved)) from moved
        except Http404 as nothing:
            raise CommandError(f"There is no {options['on']} that {actor} may see.") from nothing
        try:
            entry = change_grants(
                actor, via=Via.CLI, verbs=options["verbs"], who=who, on=target, take=options["revoke"]
            )
        except UnknownVerb as error:
            raise CommandError(str(error)) from error
        except PermissionError as error:
            raise CommandError(str(error)) from error
        done = "taken from" if options["revoke"] else "given to"
        self.stdout.write(f"{', '.join(options['verbs'])} on {entry.target_name} {done} {options['who']}")


def _find_grantee(text: str) -> User | Group:
    who = find_group(text[1:]) if text.startswith("@") else find_user(text)
    if who is None:
        raise CommandError(f"There is no {'group' if text.startswith('@') else 'user'} “{text.lstrip('@')}”.")
    return who
