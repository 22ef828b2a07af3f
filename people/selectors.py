"""Reading accounts."""

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from permissions.models import SshKey, Token, User
from permissions.policy import can
from virtualmachines.models import VirtualMachine


def list_people(user: User) -> QuerySet[User]:
    """The accounts that a person may look after: all, or their own."""
    people = User.objects.order_by("username")
    return people if can(user, "change_people") else people.filter(pk=user.pk, is_active=True)


def pick_person(people: QuerySet[User], name: str) -> User:
    """The one of `people` with this user name. Http404."""
    found = people.filter(username=name).first()
    if found is None:
        raise Http404(_("There is no account %s that you may see.") % name)
    return found


def list_administrators() -> list[User]:
    """Those who may do everything."""
    return list(User.objects.filter(is_superuser=True, is_active=True).order_by("pk"))


def lock_administrators() -> list[User]:
    """Those who may do everything, locked until the transaction ends. OperationalError if somebody has locked one.

    It does not wait: two who take each other's rights away would wait for each other.
    """
    found = User.objects.select_for_update(nowait=True).filter(is_superuser=True, is_active=True)
    return list(found.order_by("pk"))


def count_machines(person: User) -> int:
    """How many machines a person owns."""
    return VirtualMachine.objects.filter(owner__user=person).count()


def list_keys(user: User) -> QuerySet[SshKey]:
    """The SSH keys that a person may look after."""
    keys = SshKey.objects.filter(person__in=list_people(user))
    return keys.select_related("person").order_by("person__username", "pk")


def pick_key(keys: QuerySet[SshKey], name: str, fingerprint: str) -> SshKey:
    """The key of the person `name` with this fingerprint. Http404."""
    found = keys.filter(person__username=name, fingerprint=fingerprint).first()
    if found is None:
        raise Http404(_("There is no such key that you may see."))
    return found


def list_tokens(user: User) -> QuerySet[Token]:
    """The tokens that a person may look after."""
    tokens = Token.objects.filter(person__in=list_people(user))
    return tokens.select_related("person").order_by("person__username", "name")


def pick_token(tokens: QuerySet[Token], name: str, token: str) -> Token:
    """The token of the person `name` that is called so. Http404."""
    found = tokens.filter(person__username=name, name=token).first()
    if found is None:
        raise Http404(_("There is no such token that you may see."))
    return found
