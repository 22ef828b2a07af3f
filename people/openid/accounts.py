"""What a provider's word does to accounts: one is made, teams are joined and left, all of it in the journal."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from objectlog.words import gettext as _
from operations.contract import Actor
from people.account_names import may_be_called
from people.directory.accounts import take_flag
from people.directory.described import Directory
from people.openid.flow import get_provider
from people.openid.providers import Provider
from people.openid.tokens import read_text
from people.ways import Way, list_ways
from permissions.models import Team, User
from permissions.services import follow_claims
from rapi.text import clean_text

_LONGEST_NAME = 150


class BadName(Exception):
    """The name that a provider has of somebody can't be that of a new account."""


def account_for(login: SocialLogin) -> User:
    """A new account by what the provider says, which may do nothing yet. BadName."""
    provider, claims = get_provider(login.account.provider), login.claims
    # As it is kept, so that it is looked for.
    name = User.normalize_username(read_text(claims, provider.username_claim))
    person = User(username=name, email=_proven_address(claims))
    person.first_name = clean_text(read_text(claims, "given_name"), _LONGEST_NAME)
    person.last_name = clean_text(read_text(claims, "family_name"), _LONGEST_NAME)
    person.set_unusable_password()
    if not may_be_called(person.username):
        raise BadName
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        raise BadName from error
    person.save()
    _note(person, "person.add", Target("person", person.pk, person.username), {"name": person.username}, provider)
    return person


def follow_teams(person: User, login: SocialLogin) -> None:
    """Join the teams that the groups of the provider stand for, and leave those that they stand for no more."""
    provider = get_provider(login.account.provider)
    joined, left = follow_claims(person, provider.teams_for(login.claims.get(provider.groups_claim)), provider.key)
    for verb, teams in (("team.add-member", joined), ("team.remove-member", left)):
        for team in teams:
            _note(person, verb, _target(team), {"who": person.username}, provider)


def list_connected(person: User) -> list[tuple[Way, SocialAccount | None]]:
    """Each provider there is, the directory among them, with what of it is connected to somebody's account."""
    rows = {row.provider: row for row in SocialAccount.objects.filter(user=person)}
    return [(provider, rows.get(provider.key)) for provider in list_ways()]


def list_providers_of(person: User) -> list[Way]:
    """Those that are connected."""
    return [provider for provider, row in list_connected(person) if row is not None]


def name_at(provider: Way, row: SocialAccount) -> str:
    """What somebody is called there."""
    return str(row.extra_data.get(provider.username_claim) or row.extra_data.get("sub", ""))


def why_not_disconnected(person: User, key: str) -> str:
    """Why somebody would be left without a way to sign in; empty if they would not."""
    if person.has_usable_password() or any(provider.key != key for provider in list_providers_of(person)):
        return ""
    return _("It is your only way to sign in.")


def disconnect(person: User, provider: Way, by: Actor) -> None:
    """Forget who somebody is at a provider, with the teams they were in by its word."""
    for row in SocialAccount.objects.filter(user=person, provider=provider.key):
        if isinstance(provider, Directory):
            take_flag(provider, row, by.user, by.via)
        row.delete()
    for team in follow_claims(person, [], provider.key)[1]:
        note(
            actor_id=by.user.pk,
            actor_name=by.user.username,
            via=by.via,
            verb="team.remove-member",
            outcome=Outcome.DONE,
            target=_target(team),
            params={"who": person.username},
            words=_("By the word of %s.") % provider.name,
        )


def record_connected(person: User, name: str) -> None:
    """Write into the journal that somebody can sign in with a provider."""
    _note(person, "person.connect", Target("person", person.pk, person.username), {"provider": name})


def _note(person: User, verb: str, target: Target, params: dict[str, Any], by: Provider | None = None) -> None:
    note(
        actor_id=person.pk,
        actor_name=person.username,
        via=Via.WEB,
        verb=verb,
        outcome=Outcome.DONE,
        target=target,
        params=params,
        words=_("By the word of %s.") % by.name if by is not None else "",
    )


def _target(team: Team) -> Target:
    return Target("team", team.pk, f"@{team.name}")


def _proven_address(claims: dict[str, Any]) -> str:
    """The email address, if the provider has seen that it is theirs, and nobody here has it."""
    address = read_text(claims, "email")
    try:
        validate_email(address)
    except ValidationError:
        return ""
    is_free = not User.objects.filter(email__iexact=address).exists()
    return address if claims.get("email_verified") is True and is_free else ""
