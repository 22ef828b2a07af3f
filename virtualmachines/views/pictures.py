"""Pictures of screens, asked for by a page after it has loaded."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from operations.actors import actor_of
from operations.contract import Forbidden, Refusal
from permissions.sessions import mark_of
from permissions.signed_in import person_of
from virtualmachines.operations.pictures import TryAgain, look_at_screen
from virtualmachines.selectors import get_vm


@never_cache
@require_POST
def vm_console_picture(request: HttpRequest, slug: str, name: str) -> JsonResponse:
    """`picture` (a data URL) and `at`; or `error`, with `again` where there may be one in a moment. 403 as everywhere.

    That there is none is an answer like any other, no fault that browsers should complain about. POST, as it is written
    into the journal; with `renew` it is a new one.
    """
    user = person_of(request)
    vm = get_vm(user, slug, name)
    renew = "renew" in request.POST
    try:
        found = look_at_screen(actor_of(request), vm, session=mark_of(request), renew=renew)
    except Forbidden as forbidden:
        return JsonResponse({"error": str(forbidden)}, status=403)
    except Refusal as refusal:
        return JsonResponse({"error": str(refusal)})
    except TryAgain as busy:
        return JsonResponse({"error": str(busy), "again": True})
    if found.failure:
        return JsonResponse({"error": found.failure, "at": found.at.isoformat()})
    return JsonResponse({"picture": f"data:image/png;base64,{found.png}", "at": found.at.isoformat()})
