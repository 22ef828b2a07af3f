"""A picture of a machine's screen, for who may open its console.

Pictures are kept in the memory of the web process for seconds and nowhere else. The journal says once a person,
machine and hour that somebody looked: a list that is hovered over would otherwise drown it.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache, caches
from django.utils import timezone
from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from operations.contract import Actor, Ask, Forbidden, NoParams, Refusal
from operations.offers import find_obstacle
from operations.pipeline import run
from permissions.policy import Denied, can
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.console import OpenConsole, console_key, seal_ticket
from vncproxy.client import ControlError, NoPicture, nearest_control_socket, take_picture
from vncproxy.troubles import Trouble

JOURNAL_EVERY_S = 3600
YOUNGEST_RENEWED_S = 2.0
"""A picture younger than this is shown again also to who asks for a new one."""
_FAILURE_KEPT_S = 10
_MARGIN_S = 3.0


class LookAtScreen(OpenConsole):
    """One frame of the screen, without the keys."""

    verb = "picture"
    label = gettext_lazy("Picture of the screen")


@dataclass(frozen=True)
class Picture:
    """A PNG in base64, or the sentence that says why there is none, as of a moment."""

    png: str
    at: datetime
    failure: str = ""


class TryAgain(Exception):
    """There is no picture yet, and the same question may well have one in a moment; the text says why."""


def look_at_screen(actor: Actor, vm: VirtualMachine, *, session: str, renew: bool = False) -> Picture:
    """A picture that is `GWM_CONSOLE_PICTURE_S` old at most. Raises Forbidden, Refusal and TryAgain."""
    operation = LookAtScreen()
    verdict = can(actor.user, operation.needs, vm)
    if isinstance(verdict, Denied):
        raise Forbidden(verdict.reason)
    obstacle = find_obstacle(operation, vm)
    if obstacle:
        raise Refusal(obstacle)
    if not settings.GWM_CONSOLE_PICTURES:
        raise Refusal(_("Pictures of screens are switched off here."))
    key = console_key(vm)
    _write_down(operation, actor, vm, key)
    kept: Picture | None = caches["pictures"].get(key)
    age_s = (timezone.now() - kept.at).total_seconds() if kept else 0.0
    if kept and (age_s < YOUNGEST_RENEWED_S or not renew or kept.failure):
        return kept
    _count(actor)
    return _take(actor, vm, key, session)


def _write_down(operation: LookAtScreen, actor: Actor, vm: VirtualMachine, key: str) -> None:
    """Tell the journal, unless it was told within the hour."""
    mark = f"looked-at-screen:{actor.user.pk}:{key}"
    if not cache.add(mark, True, JOURNAL_EVERY_S):
        return
    is_told = False
    try:
        run(operation, Ask(actor, vm, NoParams()))
        is_told = True
    finally:
        if not is_told:
            cache.delete(mark)


def _count(actor: Actor) -> None:
    key = f"pictures-in-a-minute:{actor.user.pk}"
    cache.add(key, 0, 60)
    try:
        taken = cache.incr(key)
    except ValueError:  # its minute has just ended
        return
    if taken > settings.GWM_CONSOLE_PICTURES_PER_MINUTE:
        raise TryAgain(_("You asked for many pictures within a minute. Try again in a moment."))


def _take(actor: Actor, vm: VirtualMachine, key: str, session: str) -> Picture:
    """Have the proxy take one; a second question about the same machine doesn't wait beside the first."""
    limit_s = settings.GWM_CONSOLE_CONNECT_TIMEOUT_S + _MARGIN_S
    lock = f"picture-being-taken:{key}"
    if not cache.add(lock, True, int(limit_s) + 1):
        raise TryAgain(_("The picture is being taken. Try again in a moment."))
    try:
        ticket = seal_ticket(actor, vm, session=session, kind="picture")
        socket = nearest_control_socket(str(settings.GWM_CONSOLE_CONTROL))
        png, at = take_picture(socket, ticket, timeout_s=limit_s), timezone.now()
        picture, kept_s = Picture(png, at), settings.GWM_CONSOLE_PICTURE_S
    except NoPicture as error:
        if error.trouble == "BUSY":
            raise TryAgain(str(error)) from error
        words = _explain_elsewhere() if error.trouble == Trouble.UNREACHABLE.name else ""
        picture, kept_s = Picture("", timezone.now(), words or str(error)), _FAILURE_KEPT_S
    except ControlError:
        words = _explain_elsewhere() or _("The console broker can't be reached.")
        picture, kept_s = Picture("", timezone.now(), words), _FAILURE_KEPT_S
    finally:
        cache.delete(lock)
    caches["pictures"].set(key, picture, kept_s)
    return picture


def _explain_elsewhere() -> str:
    """Why there is none where consoles go through a proxy on another host; a daemon on this one has a socket here."""
    host = urlsplit(settings.GWM_CONSOLE_URL).hostname
    if not host or settings.GWM_CONSOLE_CONTROL.is_socket():
        return ""
    words = _(
        "No picture: consoles go through a proxy on another host (%s), which takes none, and this host does not reach "
        "the machine's screen. The console itself opens as usual."
    )
    return words % host
