"""`manage.py grant USER|@TEAM VERB… --on CLUSTER[/MACHINE]|@TEAM --as ADMIN`: rights and roles."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectlog.models import Via
from operations.contract import SITE, Actor, Ask, Forbidden, Refusal, Unchanged
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.words import name_of, read_grantable, read_person
from permissions.kinds import kind_of


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
        actor = Actor(read_person(options["user"]), Via.CLI)
        on = read_grantable(actor.user, options["on"])
        take = self.takes or options["revoke"]
        if bool(options["role"]) == bool(options["verbs"]):
            raise CommandError("Say which rights, or --role and which role.")
        if (options["tag"] or options["owner"]) and not options["role"]:
            raise CommandError("--tag and --owner are for roles.")
        data = {"who": options["who"]} if take else {"who": options["who"], "until": options["until"] or ""}
        if options["role"]:
            data |= {name: options[name] or "" for name in ("role", "tag", "owner")}
            key, what = "revoke-role" if take else "grant-role", f"role {options['role']}"
        else:
            data["verbs"] = ",".join(options["verbs"])
            key, what = "revoke" if take else "grant", ", ".join(options["verbs"])
        operation = OPERATIONS.get(f"{'site' if on is SITE else kind_of(on).name}.{key}")
        if operation is None:
            raise CommandError("Single rights are granted on one object; on everything there are roles.")
        try:
            params = params_from(operation, actor, on, data)
            with suppress(Unchanged):  # it is as is said below
                run(operation, Ask(actor, on, params))
        except (Forbidden, Refusal) as error:
            raise CommandError(str(error)) from error
        until = getattr(params, "until", None)
        end = f" until {until:%Y-%m-%d %H:%M %Z}" if until else ""
        self.stdout.write(f"{what} on {name_of(on)} {'taken from' if take else 'given to'} {options['who']}{end}")
