"""Accounts that people make for themselves, where that is allowed, by a link that was mailed to them.

Nothing is kept before the link is opened: no account that nobody uses, and no name that is taken by it. Whether an
address or a name is somebody's already, nobody learns who does not read the mail of an address.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from people.account_names import may_be_called
from permissions.models import User

LASTS = timedelta(days=7)
_SALT = "people.registering"
_BUSY_S = 60


class Unregistered(Exception):
    """No account was made; `errors` says why, by field. Without any the link is no good."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(str(errors))
        self.errors = errors


@dataclass(frozen=True)
class Registration:
    """What somebody wants to be called here."""

    username: str
    password: str
    first_name: str = ""
    last_name: str = ""


def is_open() -> bool:
    """Whether people may make accounts for themselves."""
    return bool(settings.GWM_REGISTRATION)


def is_welcome(address: str) -> bool:
    """Whether mail of this domain is among that which may register; parts of a domain are others."""
    wanted = {domain.lower().lstrip("@") for domain in settings.GWM_REGISTRATION_DOMAINS}
    return not wanted or address.rpartition("@")[2].lower() in wanted


def make_link_token(address: str) -> str:
    """What stands in the link."""
    return signing.dumps(address, salt=_SALT)


def read_link_token(token: str) -> str:
    """The address to which a link was mailed; empty if it is of no use, or of none any more."""
    try:
        address = signing.loads(token, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return ""
    is_free = isinstance(address, str) and not User.objects.filter(email__iexact=address).exists()
    return address if is_free and is_open() and is_welcome(address) else ""


def register(token: str, wanted: Registration, asked_from: str) -> User:
    """Make the account, which may do nothing yet. Unregistered."""
    address = read_link_token(token)
    person = User(username=wanted.username, email=address, first_name=wanted.first_name, last_name=wanted.last_name)
    errors = _errors_of(person, wanted.password)
    if errors or not address:
        raise Unregistered(errors)
    used, busy = _key("registered", token), _key("registering", address.casefold())
    # Twice at the same moment, be it by two links of one address; later on the address is somebody's.
    if not cache.add(busy, True, _BUSY_S) or not cache.add(used, True, int(LASTS.total_seconds())):
        raise Unregistered({})
    try:
        with transaction.atomic():
            person.set_password(wanted.password)
            person.save()
            note(
                actor_id=person.pk,
                actor_name=person.username,
                via=Via.WEB,
                verb="person.register",
                outcome=Outcome.DONE,
                target=Target("person", person.pk, person.username),
                params={"address": asked_from, "email": address},
            )
    except IntegrityError as error:
        cache.delete_many([used, busy])
        raise Unregistered({"username": [_name_is_no_good()]}) from error
    return person


def _key(purpose: str, what: str) -> str:
    return f"gwm:{purpose}:{hashlib.sha256(what.encode()).hexdigest()}"


def _errors_of(person: User, password: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    try:
        person.full_clean(exclude=["password", "email"])
    except ValidationError as error:
        errors = dict(error.message_dict)
    if not may_be_called(person.username):
        errors["username"] = [_name_is_no_good()]
    try:
        validate_password(password, person)
    except ValidationError as error:
        errors["password1"] = list(error.messages)
    return errors


def _name_is_no_good() -> str:
    return _("This user name can't be used. Choose another one.")
