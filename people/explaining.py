"""Why somebody may do something, or why not, in lines of text."""

from collections.abc import Iterator

from django.db.models import Model
from django.utils import timezone

from permissions.models import User
from permissions.policy import SITE_VERBS, Denied, Source, access_of, can, find_grant, held, who_may

_MOST = 20


def explain(user: User, verb: str, obj: Model | None) -> Iterator[str]:
    """Yes or no first, then each source; at a no what would give it, what has ended, and who could grant it."""
    verdict = can(user, verb, obj)
    if obj is None:
        known = "" if verb in SITE_VERBS else " (not a verb of the site)"
        yield f"{user} {'may' if verdict else 'may not'} {verb}{known}: {verdict.reason}"
        return
    access = access_of(type(obj))
    yield f"{user} {'may' if verdict else 'may not'} {verb} on {access.noun} {obj}."
    if verb not in access.every:
        yield f"Nobody can hold “{verb}” on a {access.noun}; known: {', '.join(sorted(access.every))}."
        return
    now = timezone.now()
    sources = [source for source in held(user, obj, with_ended=True) if source.verb == verb]
    for source in sources:
        yield f"  {'ended: ' if source.has_ended(now) else ''}{describe(source)}"
    if isinstance(verdict, Denied):
        yield f"  {verdict.reason}" if user.is_active else "  The account is switched off."
        yield f"  It comes with {_list_giving(obj, verb)}."
    admins = [person.username for person in who_may("admin", obj)] if "admin" in access.every else []
    if admins:
        more = f" and {len(admins) - _MOST} more" if len(admins) > _MOST else ""
        yield f"Rights on it can be granted by: {', '.join(admins[:_MOST])}{more}."


def describe(source: Source) -> str:
    """Where a verb comes from, in one line."""
    if source.grant is None:
        return f"as a member of @{source.via_team}" if source.via_team else "as a superuser"
    found = find_grant(source)
    implied = f" (gives {source.verb})" if source.granted != source.verb else ""
    words = [f"{source.granted}{implied}"]
    words.append(f"on its {source.via_parent}" if source.via_parent else "on it")
    if source.via_role:
        words.append(f"by role {source.via_role}")
    if source.via_team:
        words.append(f"through team @{source.via_team}")
    if found is not None and found.granted_by is not None:
        words.append(f"granted by {found.granted_by}")
    if found is not None and found.granted_at is not None:
        words.append(f"at {timezone.localtime(found.granted_at):%Y-%m-%d %H:%M}")
    if source.until is not None:
        words.append(f"until {timezone.localtime(source.until):%Y-%m-%d %H:%M %Z}")
    return ", ".join([" ".join(words[:2]), *words[2:]])


def _list_giving(obj: Model, verb: str) -> str:
    access = access_of(type(obj))
    own = sorted(access.granting(verb) & access.verbs.keys())
    words = [f"{' or '.join(own)} on the {access.noun}"] if own else []
    above = sorted(access.granting_from_parent(verb))
    if above:
        words.append(f"{' or '.join(above)} on its {access_of(type(getattr(obj, access.parent))).noun}")
    return "; ".join(words) or "what it touches"
