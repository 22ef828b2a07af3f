"""The link by which somebody shows that an email address is theirs. Nothing of it is kept."""

from django.conf import settings
from django.core import signing

from permissions.models import User

_SALT = "people.confirming"


def make_confirmation(person: User, address: str) -> str:
    """What stands in the link: it means this address for this person, while they have the one that they have now."""
    return signing.dumps([person.pk, person.email, address], salt=_SALT)


def read_confirmation(person: User, token: str) -> str:
    """The address that a link means for this person; empty if it means nothing for them, or nothing any more."""
    try:
        pk, before, address = signing.loads(token, salt=_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except (signing.BadSignature, ValueError):
        return ""
    return str(address) if (pk, before) == (person.pk, person.email) else ""
