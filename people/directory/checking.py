"""Who has left the directory is put out: asked again and again, as nobody tells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from logging import getLogger

from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache

from objectlog.models import Via
from objectlog.words import gettext as _
from people.directory.accounts import OUT, directory, follow, id_in, let_in_again, put_out
from people.directory.asking import (
    Found,
    NoAnswer,
    Untrue,
    connected,
    find_by_ids,
    is_readable,
    may_enter,
    with_groups,
)
from people.directory.described import KEY, Directory
from people.directory.state import note_check, note_no_answer

logger = getLogger("people.directory")

_AT_ONCE = 100
_LASTS_S = 900
_RUNS = "gwm:directory-check"
#: If more than half of so many and more are gone at once, it is rather that they can't be seen
_FEW = 3


class Doubtful(Exception):
    """What the directory says of many can't be so; nobody is put out."""


@dataclass
class Seen:
    """What a check has found."""

    asked: int = 0
    put_out: int = 0
    problems: tuple[str, ...] = ()


def check(via: Via = Via.UPDATE, *, is_sure: bool = False) -> Seen | None:
    """Compare all connected accounts with the directory; None if there is none or it is being done. NoAnswer, Doubtful.

    Nobody is put out before all of the directory was read. `is_sure`: however many are gone.
    """
    there = directory()
    if there is None or not cache.add(_RUNS, "", _LASTS_S):
        return None
    try:
        seen = _check(there, via, is_sure=is_sure)
    except NoAnswer as error:
        logger.warning("%s does not answer: %s", there.name, error)
        note_no_answer(str(error))
        raise
    except Doubtful as error:
        logger.warning("%s", error)
        note_check(str(error))
        raise
    finally:
        cache.delete(_RUNS)
    note_check(" ".join(seen.problems[:5]))
    return seen


def _check(there: Directory, via: Via, *, is_sure: bool) -> Seen:
    seen, gone = Seen(), []
    was_in, problems = 0, []
    for rows in _in_parts():
        # Each part has a connection of its own: what one may bring, and how long it may last, holds for any number.
        with connected(there, _LASTS_S) as link:
            if not is_readable(link, there):
                raise NoAnswer(f"{there.base} can't be read")
            try:
                found = find_by_ids(link, there, [id_in(row) for row in rows])
            except Untrue as error:
                raise NoAnswer(str(error)) from error
            for row in rows:
                seen.asked += 1
                was_in += OUT not in row.extra_data and row.user.is_active
                entry = found.get(id_in(row))
                entry = with_groups(link, there, entry) if entry is not None else None
                if entry is None or not may_enter(there, entry):
                    gone.append(row)
                    continue
                problems += _renew(there, row, entry, via)
        cache.touch(_RUNS, _LASTS_S)
    newly = [row for row in gone if OUT not in row.extra_data and row.user.is_active]
    if not is_sure and len(newly) >= _FEW and 2 * len(newly) > was_in:
        raise Doubtful(
            _("%(gone)d of %(all)d people seem to have left %(directory)s. Nobody was signed out.")
            % {"gone": len(newly), "all": was_in, "directory": there.name}
        )
    for row in gone:
        problem = put_out(there, row, via)
        problems += [problem] if problem else []
    seen.put_out, seen.problems = len(newly), tuple(problems)
    return seen


def _renew(there: Directory, row: SocialAccount, entry: Found, via: Via) -> list[str]:
    if OUT in row.extra_data:  # as it was read: most are not, and are asked for once less
        let_in_again(there, row, via)
    problem = follow(there, row, entry, via)
    return [problem] if problem else []


def _in_parts() -> Iterator[Sequence[SocialAccount]]:
    rows, last = SocialAccount.objects.filter(provider=KEY).select_related("user").order_by("pk"), 0
    while part := list(rows.filter(pk__gt=last)[:_AT_ONCE]):
        yield part
        last = part[-1].pk
