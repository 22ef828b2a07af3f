"""What somebody may do on something, and why, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from people.explaining import answer_all, answer_for_site, list_granting
from people.words import EVERYTHING, find_object, list_kinds_with_rights
from permissions.kinds import kind_of
from permissions.policy import access_of, can
from permissions.selectors import find_user
from permissions.signed_in import person_of

if TYPE_CHECKING:
    from permissions.models import User

_LONGEST = 300


@require_safe
def explain_page(request: HttpRequest) -> HttpResponse:
    """Of oneself for whatever one may see; of others for who may grant rights on it. What one may not see is 404."""
    user = person_of(request)
    on, who, verb = (request.GET.get(name, "").strip()[:_LONGEST] for name in ("on", "who", "verb"))
    context: dict[str, Any] = {
        "on": on,
        "who": who,
        "everything": EVERYTHING,
        "kind": request.GET.get("kind", ""),
    }
    if on:
        about = None if on == EVERYTHING else _find(user, on, context["kind"])
        context |= _answer(user, about, who, verb)
    else:
        context["typed"] = [(access_of(kind.model).noun, kind.typed) for kind in list_kinds_with_rights()]
    return render(request, "people/explain.html", context)


def _find(user: User, text: str, name: str) -> Model:
    kinds = [kind for kind in list_kinds_with_rights() if not name or kind.name == name]
    try:
        return find_object(text, kinds, user)
    except LookupError as error:
        raise Http404(str(error.args[0])) from error


def _answer(user: User, about: Model | None, who: str, verb: str) -> dict[str, Any]:
    subject: User | None = user
    if who and who != user.username:
        if not _may_ask_about_others(user, about):
            raise PermissionDenied(_("Only auditors and who may grant rights there may ask about others."))
        subject = find_user(who)
    if subject is None:
        return {"problem": _("There is nobody called %s.") % who}
    answers = answer_for_site(subject) if about is None else answer_all(subject, about, subject == user)
    names, more = ([], 0) if about is None else list_granting(about)
    kind = None if about is None else kind_of(about)
    return {
        "subject": subject,
        "is_self": subject == user,
        "about": about,
        "noun": "" if about is None else access_of(type(about)).noun,
        "called": _("everything") if kind is None else kind.named(about),
        "url": "" if kind is None else kind.url_of(about),
        "answers": [each for each in answers if each.verb == verb] or answers,
        "verbs": [each.verb for each in answers],
        "verb": verb,
        "granting": names,
        "more_granting": more,
    }


def _may_ask_about_others(user: User, about: Model | None) -> bool:
    """Who may grant rights on it sees on its tab what others hold, and auditors; of a job those of its cluster."""
    if about is None:
        return bool(can(user, "change_people")) or bool(can(user, "see_journal_of_all"))
    access = access_of(type(about))
    held = {"admin", "audit"} & access.every
    if any(can(user, verb, about) for verb in held):
        return True
    above = getattr(about, access.parent) if access.parent else None
    return above is not None and bool(can(user, "audit", above))
