"""An account to see with that one can sign in: made on the server for one check, and deleted after it.

It may do nothing, nobody has chosen its password, and its name tells it from those of people. One that a killed check
has left is deleted by the next.
"""

import re
import secrets

from django.db.models import Q

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from permissions.models import User
from permissions.services import delete_account

_BEGIN = "installation-check-"
_NAME = re.compile(rf"{_BEGIN}[0-9a-f]{{16}}")


def make_check_account() -> tuple[User, str]:
    """A new one, and its password; those that were left are deleted first."""
    delete_check_accounts()
    person, password = User(username=_BEGIN + secrets.token_hex(8)), secrets.token_urlsafe(24)
    person.set_password(password)
    person.save()
    _record("person.begin-check", person)
    return person, password


def delete_check_accounts() -> int:
    """With their sessions; how many there were."""
    found = [
        person
        for person in User.objects.filter(username__startswith=_BEGIN, is_superuser=False)
        if _NAME.fullmatch(person.username)
    ]
    for person in found:
        _record("person.end-check", person)
        delete_account(person)
    return len(found)


def of_checks() -> Q:
    """Events about these accounts: they tell of no use by anybody."""
    return Q(target_kind="person", target_name__startswith=_BEGIN) | Q(actor_name__startswith=_BEGIN)


def _record(verb: str, person: User) -> None:
    target = Target("person", person.pk, person.username)
    note(actor_id=None, actor_name="", via=Via.CLI, verb=verb, target=target, outcome=Outcome.DONE)
