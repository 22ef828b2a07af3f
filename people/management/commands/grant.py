"""`manage.py grant USER|@TEAM VERB… --on CLUSTER[/MACHINE]|@TEAM --as ADMIN`: rights and roles."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.models import Via
from operations.contract import Actor, Ask, Forbidden, Refusal
from operations.pipeline import run
from operations.table import OPERATIONS
from people.operations.rights import GrantParams, RoleGrantParams
from people.words import kind_of, name_of, read_grantable, read_moment, read_person, read_subject
from permissions.selectors import find_role
from permissions.services import persona_of


class Command(BaseCommand):
    help = "Gives or takes rights on a cluster, a machine or a team, or a role, and journals it."
    takes = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="a user name, or @ and the name of a team")
        parser.add_argument("verbs", nargs="*", help="rights, such as admin, power, create_vm")
        parser.add_argument("--role", help="a role instead of single rights")
        parser.add_argument(
            "--on", required=True, metavar="CLUSTER[/MACHINE]|@TEAM|everything", help="everything is for roles alone"
        )
        parser.add_argument("--tag", default="", help="the role counts for machines with this tag alone")
        parser.add_argument("--owner", metavar="USER|@TEAM", help="the role counts for their machines alone")
        parser.add_argument("--as", dest="user", required=True, metavar="USER", help="who grants; needs admin there")
        if not self.takes:
            parser.add_argument("--until", metavar="WHEN", help="when it ends: 2030-12-31, 2030-12-31T18:00, 12h, 30d")
            parser.add_argument("--revoke", action="store_true", help="take them instead, as `revoke` does")

    def handle(self, *args: Any, **options: Any) -> None:
        actor, who = read_person(options["user"]), read_subject(options["who"])
        on = read_grantable(actor, options["on"])
        take = self.takes or options["revoke"]
        until = read_moment(options["until"]) if options.get("until") else None
        if bool(options["role"]) == bool(options["verbs"]):
            raise CommandError("Say which rights, or --role and which role.")
        if (options["tag"] or options["owner"]) and not options["role"]:
            raise CommandError("--tag and --owner are for roles.")
        asks = Actor(actor, Via.CLI)
        if options["role"]:
            role = find_role(options["role"])
            if role is None:
                raise CommandError(f"There is no role “{options['role']}”.")
            owner = persona_of(read_subject(options["owner"])) if options["owner"] else None
            params: Any = RoleGrantParams(who, role, options["tag"], owner, until)
            key, what = "revoke-role" if take else "grant-role", f"role {role}"
        else:
            params = GrantParams(who, options["verbs"], until)
            key, what = "revoke" if take else "grant", ", ".join(options["verbs"])
        operation = OPERATIONS.get(f"{kind_of(on)}.{key}")
        if operation is None:
            raise CommandError("Single rights are granted on one object; on everything there are roles.")
        try:
            run(operation, Ask(asks, on, params))
        except (Forbidden, Refusal) as error:
            raise CommandError(str(error)) from error
        end = f" until {until:%Y-%m-%d %H:%M %Z}" if until else ""
        self.stdout.write(f"{what} on {name_of(on)} {'taken from' if take else 'given to'} {options['who']}{end}")
