"""What the directory's word does to accounts: one is made, names, teams and flags follow it; all of it in the journal.

An account belongs to an entry by a row of allauth's `SocialAccount`, as to a subject of an OpenID provider: by the
entry's unchanging id, never by a name.
"""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, OperationalError, transaction

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from objectlog.words import gettext as _
from people.account_names import may_be_called
from people.directory.asking import Found, has_flag, teams_for
from people.directory.described import KEY, Directory
from people.openid.tokens import mark_of_subject
from people.selectors import lock_administrators
from permissions.models import User
from permissions.policy import is_administrator
from permissions.services import follow_claims
from rapi.text import clean_text

_LONGEST_NAME = 150
#: in a row's `extra_data`: what the directory gave and may take, and that it has put somebody out
ADMINISTRATOR, OUT = "administrator", "out"


class BadName(Exception):
    """The name that the directory has of somebody can't be that of a new account."""


class Taken(Exception):
    """The entry belongs to another account."""


def directory() -> Directory | None:
    """The directory, if there is one."""
    found: Directory | None = settings.GWM_DIRECTORY
    return found


def link_of(person: User) -> SocialAccount | None:
    """What connects somebody to their entry."""
    return SocialAccount.objects.filter(user=person, provider=KEY).first()


def keeper_of(person: User) -> Directory | None:
    """The directory, if it keeps this person's password."""
    there = directory()
    return there if there is not None and link_of(person) is not None else None


def has_password(person: User) -> bool:
    """Whether there is a password that can be asked for, here or in the directory."""
    return person.has_usable_password() or keeper_of(person) is not None


def find_link(found: Found) -> SocialAccount | None:
    """The row of an entry; whole and exact."""
    return SocialAccount.objects.select_related("user").filter(provider=KEY, uid=_mark(found.id)).first()


def id_in(link: SocialAccount) -> str:
    """The entry's id, by which it is found again."""
    return str(link.extra_data.get("id", ""))


def make_account(there: Directory, found: Found) -> SocialAccount:
    """An account for who has none, which may do nothing yet. BadName."""
    name = User.normalize_username(found.text(there.attributes["username"]))
    person = User(username=name)
    person.set_unusable_password()
    try:
        with transaction.atomic():
            if not may_be_called(name):
                raise BadName
            person.full_clean(exclude=["password"])
            person.save()
            _note(person, "person.add", Via.WEB, there, params={"name": name}, target=_person(person), by=person)
            return _link(there, person, found)
    except (ValidationError, IntegrityError) as error:
        raise BadName from error


def connect(there: Directory, person: User, found: Found) -> SocialAccount:
    """Let the directory say from now on who somebody is, instead of the password here. Taken."""
    other = find_link(found)
    if other is not None and other.user_id == person.pk:
        return other
    if other is not None:
        raise Taken
    try:
        with transaction.atomic():
            SocialAccount.objects.filter(user=person, provider=KEY).delete()
            person.set_unusable_password()
            person.save(update_fields=["password"])
            params = {"provider": there.name}
            _note(person, "person.connect", Via.WEB, there, params=params, target=_person(person), by=person, words="")
            return _link(there, person, found)
    except IntegrityError as error:  # by another page, at the same time
        raise Taken from error


def follow(there: Directory, link: SocialAccount, found: Found, via: Via) -> str:
    """Have names, address, teams and flags be what the directory says; what could not be is returned, in words."""
    with transaction.atomic():
        if not _hold(link):
            return ""
        person, before = link.user, link.extra_data
        _follow_names(there, person, found, via)
        joined, left = follow_claims(person, teams_for(there, found), KEY)
        for verb, teams in (("team.add-member", joined), ("team.remove-member", left)):
            for team in teams:
                target = Target("team", team.pk, f"@{team.name}")
                _note(person, verb, via, there, params={"who": person.username}, target=target)
        problem = _follow_flag(there, person, link, has_flag(there, found, ADMINISTRATOR), via)
        kept = {"id": found.id, "username": _name_of(there, found)[:_LONGEST_NAME]}
        link.extra_data = {**link.extra_data, **kept}
        if via is Via.WEB:
            link.save()  # with the time, which the profile shows
        elif link.extra_data != before:
            _keep(link)
    return problem


def let_in_again(there: Directory, link: SocialAccount, via: Via) -> bool:
    """Whom the directory has put out and has again; whom an administrator has put out stays so.

    Whether the account is active, and that of the entry still.
    """
    with transaction.atomic():
        if not _hold(link):
            return False
        person = link.user
        if OUT in link.extra_data:
            _forget_out(link)
            if not person.is_active:
                person.is_active = True
                person.save(update_fields=["is_active"])
                _note(person, "person.activate", via, there, target=_person(person))
        return bool(person.is_active)


def put_out(there: Directory, link: SocialAccount, via: Via) -> str:
    """End sessions, consoles and tokens of somebody and switch the account off; why not wholly, in words."""
    with transaction.atomic():
        if not _hold(link):
            return ""
        person = link.user
        was_out = OUT in link.extra_data
        if was_out and not person.is_active:
            return ""
        is_last = person.is_active and is_administrator(person) and not _there_are_others(person)
        if was_out and is_last:
            return _last(person)
        if not person.is_active:  # an administrator was first, and it stays theirs
            return ""
        link.extra_data = {**link.extra_data, OUT: True}
        _keep(link)
        person.sign_outs += 1
        person.is_active = is_last
        person.save(update_fields=["sign_outs", "is_active"])
        person.tokens.all().delete()
        verb = "person.sign-out" if is_last else "person.deactivate"
        _note(person, verb, via, there, target=_person(person))
        return _last(person) if is_last else ""


def leave_to_administrators(person: User) -> None:
    """One has decided whether the account is active: what the directory did to it before is not undone by it."""
    for link in SocialAccount.objects.filter(user=person, provider=KEY):
        _forget_out(link)


def forget_link(person: User) -> int:
    """Let the directory have no more to do with somebody; how many rows that were."""
    removed: int = SocialAccount.objects.filter(user=person, provider=KEY).delete()[0]
    return removed


def take_flag(there: Directory, link: SocialAccount, by: User, via: Via) -> None:
    """Take from who is disconnected what the directory has made them."""
    _follow_flag(there, link.user, link, False, via, by)


def _hold(link: SocialAccount) -> bool:
    """Lock the account of an entry and read both anew; False if they have nothing to do with each other any more.

    An administrator may have been there since the row was read: a check of many people takes minutes.
    """
    person = User.objects.select_for_update().filter(pk=link.user_id).first()
    now = SocialAccount.objects.filter(pk=link.pk, user=person).first() if person is not None else None
    if now is None:
        return False
    link.user, link.extra_data = person, now.extra_data
    return True


def _forget_out(link: SocialAccount) -> None:
    if OUT in link.extra_data:
        link.extra_data = {name: value for name, value in link.extra_data.items() if name != OUT}
        _keep(link)


def _keep(link: SocialAccount) -> None:
    """What is known of an entry; that it was asked by us does not count as a sign-in."""
    SocialAccount.objects.filter(pk=link.pk).update(extra_data=link.extra_data)


def _link(there: Directory, person: User, found: Found) -> SocialAccount:
    kept = {"id": found.id, "username": _name_of(there, found)[:_LONGEST_NAME]}
    link: SocialAccount = SocialAccount.objects.create(user=person, provider=KEY, uid=_mark(found.id), extra_data=kept)
    return link


def _mark(entry_id: str) -> str:
    return mark_of_subject(KEY, entry_id)


def _name_of(there: Directory, found: Found) -> str:
    return found.text(there.attributes["username"])


def _follow_names(there: Directory, person: User, found: Found, via: Via) -> None:
    said = {name: clean_text(found.text(there.attributes[name]), _LONGEST_NAME) for name in ("first_name", "last_name")}
    if address := _free_address(there, person, found):
        said["email"] = address
    changed = {name: value for name, value in said.items() if value and value != getattr(person, name)}
    if not changed:
        return
    for name, value in changed.items():
        setattr(person, name, value)
    person.save(update_fields=list(changed))
    _note(person, "person.edit", via, there, target=_person(person))


def _free_address(there: Directory, person: User, found: Found) -> str:
    address = found.text(there.attributes["email"])
    try:
        validate_email(address)
    except ValidationError:
        return ""
    is_free = not User.objects.filter(email__iexact=address).exclude(pk=person.pk).exists()
    return address if len(address) <= 254 and is_free else ""


def _follow_flag(
    there: Directory, person: User, link: SocialAccount, is_given: bool, via: Via, by: User | None = None
) -> str:
    """What it gave it takes; who was made an administrator by hand stays one, and so does the last."""
    was_given = bool(link.extra_data.get(ADMINISTRATOR))
    if is_given and not is_administrator(person):
        link.extra_data = {**link.extra_data, ADMINISTRATOR: True}
        verb = "person.promote"
    elif was_given and not is_given and is_administrator(person):
        if person.is_active and not _there_are_others(person):
            return _last(person)
        verb = "person.demote"
    else:
        verb = ""
    if not is_given:
        link.extra_data = {name: value for name, value in link.extra_data.items() if name != ADMINISTRATOR}
    if verb:
        User.objects.filter(pk=person.pk).update(is_superuser=is_given)
        person.refresh_from_db(fields=["is_superuser"])
        _note(person, verb, via, there, target=_person(person), by=by)
    return ""


def _there_are_others(person: User) -> bool:
    """Whether there is another administrator; if somebody has one locked just now, it is asked again the next time."""
    try:
        with transaction.atomic():
            return any(each.pk != person.pk for each in lock_administrators())
    except OperationalError:
        return False


def _last(person: User) -> str:
    return _("%s is the last administrator, and stays one. Make somebody else one.") % person


def _person(person: User) -> Target:
    return Target("person", person.pk, person.username)


def _note(
    person: User,
    verb: str,
    via: Via,
    there: Directory,
    *,
    target: Target,
    params: dict[str, Any] | None = None,
    by: User | None = None,
    words: str | None = None,
) -> None:
    """What somebody did by signing in is theirs; what a check found is nobody's."""
    who = by if by is not None or via is not Via.WEB else person
    note(
        actor_id=who.pk if who is not None else None,
        actor_name=who.username if who is not None else "",
        via=via,
        verb=verb,
        outcome=Outcome.DONE,
        target=target,
        params=params,
        words=_("By the word of %s.") % there.name if words is None else words,
    )
