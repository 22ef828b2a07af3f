"""Signing in with the directory's password, beside those that are kept here: by the same form, the same counters."""

from logging import getLogger
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext

from objectlog.models import Via
from objectlog.words import gettext as _
from people.directory.accounts import (
    BadName,
    directory,
    find_link,
    follow,
    id_in,
    let_in_again,
    link_of,
    make_account,
)
from people.directory.asking import (
    Found,
    NoAnswer,
    Untrue,
    WrongPassword,
    check_password,
    connected,
    find_by_ids,
    find_by_name,
    may_enter,
    with_groups,
)
from people.directory.described import Directory
from people.directory.state import note_answer, note_no_answer
from people.directory.turned_away import TurnedAway
from people.limits import name_to_count
from permissions.models import User

logger = getLogger("people.directory")


class DirectoryBackend(ModelBackend):
    """Lets in whom the directory knows by their password."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The account of who has this name and password there. TurnedAway."""
        there = directory()
        if there is None or not username or not password:
            return None
        found = ask_who(there, username, password)
        return None if found is None else _enter(there, found)


def ask_who(there: Directory, username: str, password: str, *, is_new: bool = False) -> Found | None:
    """The entry of who has this name here, or there, and this password. TurnedAway.

    A password of an account here that has nothing to do with the directory is not shown to it; that it is asked for the
    name all the same makes one answer of a wrong name and a wrong password, also while it is down. `is_new`: the name
    is one of the directory's, whatever accounts are called here.
    """
    person = None if is_new else User.objects.filter(username=User.normalize_username(username)).first()
    link = link_of(person) if person is not None else None
    try:
        with connected(there) as asked:
            if link is not None:
                found = _prove_linked(asked, there, link, username, password)
            else:
                named = _find_named(asked, there, username)
                if named is None or (person is not None and person.has_usable_password()):
                    raise WrongPassword
                check_password(there, named, password)
                found = named
            found = with_groups(asked, there, found)
    except WrongPassword:
        note_answer()
        return None
    except NoAnswer as error:
        logger.warning("%s does not answer: %s", there.name, error)
        note_no_answer(str(error))
        raise TurnedAway(
            _("%s does not answer.") % there.name,
            status=502,
            remedy=gettext("Accounts whose password is kept here can sign in. Others try again in a moment."),
        ) from error
    except Untrue as error:
        logger.warning("%s: %s", there.name, error)
        raise TurnedAway(_("%s could not say who you are.") % there.name) from error
    note_answer()
    return found


def _prove_linked(asked: Any, there: Directory, link: Any, name: str, password: str) -> Found:
    """The entry that an account belongs to, if the password is theirs. WrongPassword, TurnedAway.

    Somebody may be called so there who is somebody else, as names are given anew: they are told, once they have shown
    that it is their name, for nothing that they type would ever let them in.
    """
    found = find_by_ids(asked, there, [id_in(link)]).get(id_in(link))
    try:
        if found is None:
            raise WrongPassword
        check_password(there, found, password)
    except WrongPassword:
        try:
            other = _find_named(asked, there, name)
        except Untrue:
            other = None
        if other is None or other.id == id_in(link):
            raise
        check_password(there, other, password)
        note_answer()
        words = _("The account %(name)s here belongs to somebody else who had this name at %(directory)s before.")
        raise TurnedAway(
            words % {"name": link.user, "directory": there.name}, remedy=_if_there_is_another(), person=link.user
        ) from None
    return found


def _find_named(asked: Any, there: Directory, name: str) -> Found | None:
    found = find_by_name(asked, there, name)
    return found if found is not None and _is_called(there, found, name) else None


def _enter(there: Directory, found: Found) -> User | None:
    link = find_link(found)
    person = link.user if link is not None else None
    if not may_enter(there, found):
        raise TurnedAway(_("You are in no group of %s that may sign in here.") % there.name, person=person)
    if link is None:
        link = _make(there, found)
    with transaction.atomic():  # or the account could be disconnected between the two
        if not let_in_again(there, link, Via.WEB):
            return None
        problem = follow(there, link, found, Via.WEB)
    if problem:
        logger.warning("%s", problem)
    entered: User = link.user
    return entered


def _make(there: Directory, found: Found) -> Any:
    if not there.adds_accounts:
        raise TurnedAway(
            _("No account here is connected to the one that you have at %s.") % there.name,
            remedy=_if_there_is_another(),
        )
    try:
        return make_account(there, found)
    except BadName as error:
        if (made := find_link(found)) is not None:  # by another sign-in, at the same time
            return made
        raise TurnedAway(
            _("No account can be made for you: the user name that %s has of you cannot be used here.") % there.name,
            remedy=gettext(
                "If it is the name of your account here, sign in with its password and connect the two on your "
                "profile. Otherwise ask your administrator."
            ),
        ) from error


def _if_there_is_another() -> str:
    return gettext(
        "If you have an account here, sign in with its password and connect the two on your profile. "
        "Otherwise ask your administrator for one."
    )


def _is_called(there: Directory, found: Found, name: str) -> bool:
    """Whether it is exactly this name: attempts are counted by what was typed, and a directory takes many for one."""
    names = [*found.texts(there.attributes["username"]), *found.texts(there.attributes["email"])]
    return name_to_count(name) in {name_to_count(each) for each in names}
