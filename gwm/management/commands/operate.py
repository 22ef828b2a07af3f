"""`manage.py operate KEY TARGET --as USER`: the pipeline from the command line."""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model

from objectlog.models import Outcome, Via
from operations.contract import SITE, Actor, AnyOperation, Ask, Forbidden, Refusal, Site, Unchanged
from operations.detours import begin_detour
from operations.forms import params_from
from operations.models import Batch
from operations.pipeline import run
from operations.table import OPERATIONS
from people.words import list_typed, read_object
from permissions.kinds import KINDS
from permissions.models import User
from permissions.selectors import find_persona, find_user

OFFERED = {key: each for key, each in OPERATIONS.items() if not each.needs_browser}
# A verb that only one kind of thing knows may stand for itself, among those that Ganeti knows: "edit" and "rename"
# stood in scripts before there were templates, people, teams or keys.
_IN_GANETI = {kind.name for kind in KINDS.values() if kind.in_ganeti}
_SHORT = [operation for operation in OFFERED.values() if operation.kind in _IN_GANETI]
_VERBS = Counter(operation.verb for operation in _SHORT)
NAMES = {**{op.verb: op for op in _SHORT if _VERBS[op.verb] == 1}, **OFFERED}
WELL = (Outcome.DONE, Outcome.SUBMITTED, Outcome.SUCCEEDED)


class Command(BaseCommand):
    help = "Does one operation as a person, with that person's rights, and journals it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("operation", choices=sorted(NAMES), metavar="OPERATION", help=", ".join(sorted(OFFERED)))
        parser.add_argument(
            "target", nargs="?", help=list_typed(KINDS[each.kind] for each in OFFERED.values() if not each.is_on_site)
        )
        parser.add_argument("--as", dest="user", required=True, metavar="USER", help="who acts")
        parser.add_argument("--persona", help="team to act for; the person alone if left out")
        parser.add_argument(
            "--set", dest="params", action="append", default=[], metavar="NAME=VALUE", help="a parameter, repeatable"
        )
        parser.add_argument(
            "--set-from",
            dest="files",
            action="append",
            default=[],
            metavar="NAME=FILE",
            help="a parameter that is the content of a file (- is standard input), for passwords and certificates",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only ask Ganeti whether it would; its answer is that of the job"
        )
        parser.add_argument(
            "--detour",
            action="store_true",
            help="have what is in the way of it done first, and undone after, by the worker: for a rename of a machine "
            "that runs, shut it down and start it again",
        )
        parser.add_argument(
            "--over-quota",
            action="store_true",
            help="for administrators: let it exceed a quota; the journal says so",
        )
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        operation = NAMES[options["operation"]]
        user = find_user(options["user"])
        if user is None:
            raise CommandError(f"There is no user “{options['user']}”.")
        persona = find_persona(user, options["persona"]) if options["persona"] else None
        if options["persona"] and persona is None:
            raise CommandError(f"{user} may not act for “{options['persona']}”.")
        target = _find_target(user, operation, options["target"])
        actor = Actor(user, Via.CLI, persona, over_quota=options["over_quota"])
        given = {**_read_pairs(options["params"]), **_read_files(options["files"])}
        try:
            if options["detour"]:
                self._say_begun(begin_detour(operation, actor, target, given), as_json=options["json"])
                return
            params = params_from(operation, actor, target, given)
            entry = run(operation, Ask(actor, target, params, dry_run=options["dry_run"]))
        except Unchanged as same:  # a script that is run again has what it wants
            if options["json"]:
                told: dict[str, Any] = {"entry": None, "outcome": "unchanged", "jobs": [], "message": str(same)}
                self.stdout.write(json.dumps(told))
            else:
                self.stdout.write(f"{operation.label}: {same}")
            return
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
            check = "Check: " if options["dry_run"] else ""
            self.stdout.write(f"{check}{operation.label} {entry.target_name}: {Outcome(entry.outcome).label}{jobs}")
        if entry.outcome not in WELL:
            raise CommandError(entry.message or Outcome(entry.outcome).label)

    def _say_begun(self, batch: Batch, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"batch": str(batch.uuid)}))
        else:
            self.stdout.write(f"Batch {batch.uuid} has begun: {batch.items.count()} steps on {batch.target_name}.")


def _find_target(user: User, operation: AnyOperation, text: str | None) -> Model | Site:
    if operation.is_on_site:
        if text:
            raise CommandError(f"“{operation.key}” takes no target.")
        return SITE
    kind = KINDS[operation.target_kind]
    if kind.parse(text or "") is None:
        raise CommandError(f"“{operation.key}” takes {kind.typed}, not “{text or ''}”.")
    return read_object(text or "", [kind], user)


def _read_pairs(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise CommandError(f"--set takes NAME=VALUE, not “{pair}”.")
        given[name] = value
    return given


def _read_files(pairs: list[str]) -> dict[str, str]:
    given = {}
    for name, file in _read_pairs(pairs).items():
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"--set-from {name}: {error}") from error
        given[name] = text.rstrip("\r\n")
    return given
