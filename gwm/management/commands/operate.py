"""`manage.py operate VERB CLUSTER[/MACHINE] --as USER`: the pipeline from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model
from django.http import Http404

from clusters.forms.operate import OperationForm
from clusters.moved import Moved
from clusters.operations.base import Actor, AnyOperation, Forbidden, Refusal, run
from clusters.selectors import get_cluster, get_job, get_node
from objectlog.models import Outcome, Via
from operations.table import OPERATIONS
from permissions.models import User
from permissions.selectors import find_persona, find_user
from virtualmachines.forms.actions import FORM_FOR
from virtualmachines.selectors import get_vm

# What is asked in a form of its own, or needs a browser, is no matter for the command line.
OFFERED = {name: operation for name, operation in OPERATIONS.items() if operation.on_command_line}
WELL = (Outcome.DONE, Outcome.SUBMITTED, Outcome.SUCCEEDED)


class Command(BaseCommand):
    help = "Does one operation as a person, with that person's rights, and journals it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=sorted(OFFERED), help="what to do")
        parser.add_argument("target", help="CLUSTER, CLUSTER/MACHINE, or CLUSTER/NUMBER for a job")
        parser.add_argument("--as", dest="user", required=True, metavar="USER", help="who acts")
        parser.add_argument("--persona", help="group on whose behalf; the person alone if left out")
        parser.add_argument(
            "--set", dest="params", action="append", default=[], metavar="NAME=VALUE", help="a parameter, repeatable"
        )
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        operation = OFFERED[options["verb"]]
        user = find_user(options["user"])
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        persona = find_persona(user, options["persona"]) if options["persona"] else None
        if options["persona"] and persona is None:
            raise CommandError(f"{user} is no member of a group “{options['persona']}”.")
        target = _find_target(user, operation, options["target"])
        params = _read_params(operation, options["params"])
        try:
            entry = run(operation, Actor(user, Via.CLI, persona), target, params)
        except (Forbidden, Refusal) as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "entry": str(entry.uuid),
                        "outcome": entry.outcome,
                        "jobs": entry.job_ids,
                        "message": entry.message,
                    }
                )
            )
        else:
            jobs = f", job {', '.join(map(str, entry.job_ids))}" if entry.job_ids else ""
            self.stdout.write(f"{operation.label} {entry.target_name}: {Outcome(entry.outcome).label}{jobs}")
        if entry.outcome not in WELL:
            raise CommandError(entry.message or Outcome(entry.outcome).label)


def _find_target(user: User, operation: AnyOperation, text: str) -> Model:
    slug, _, name = text.partition("/")
    try:
        if operation.kind == "cluster" and not name:
            return get_cluster(user, slug)
        if operation.kind == "vm" and name:
            return get_vm(user, slug, name)
        if operation.kind == "node" and name:
            return get_node(user, slug, name)
        if operation.kind == "job" and name.isdigit():
            return get_job(user, slug, int(name))
    except Moved as moved:
        raise CommandError(str(moved)) from moved
    except Http404 as nothing:
        raise CommandError(f"There is no {text} that {user} may see.") from nothing
    forms = {"cluster": "CLUSTER", "vm": "CLUSTER/MACHINE", "node": "CLUSTER/NODE", "job": "CLUSTER/NUMBER"}
    form = forms[operation.kind]
    raise CommandError(f"“{operation.name}” takes {form}, not “{text}”.")


def _read_params(operation: AnyOperation, pairs: list[str]) -> Any:
    given = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise CommandError(f"--set takes NAME=VALUE, not “{pair}”.")
        given[name] = value
    form = FORM_FOR.get(operation.name, OperationForm)(given)
    unknown = set(given) - set(form.fields)
    if unknown:
        known = ", ".join(form.fields) or "none"
        raise CommandError(f"“{operation.name}” has no parameter {', '.join(sorted(unknown))}; it has: {known}.")
    if not form.is_valid():
        raise CommandError(" ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()))
    return form.params(operation)
