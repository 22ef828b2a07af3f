"""Operations as buttons: usable, or with the reason why not."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from objectlog.words import gettext as _
from operations.contract import AnyOperation, Detour
from operations.models import Busy
from operations.table import OPERATIONS
from permissions.models import User
from permissions.policy import access_of


@dataclass(frozen=True)
class Offer:
    """An operation as a button: usable, or with the reason why not."""

    operation: AnyOperation
    reason: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether it can be done now by this person."""
        return not self.reason


class Obstacle(NamedTuple):
    """Why something can't be done now, and whether it is enough to wait: nobody has to do anything about it."""

    words: str
    ends_by_itself: bool


def find_obstacle(operation: AnyOperation, target: Any, user: User | None = None) -> str | None:
    """Why the operation can't be done to the target now (by `user`), whatever its parameters; None if it can."""
    found = look_for_obstacle(operation, target, user)
    return found.words if found is not None else None


def look_for_obstacle(operation: AnyOperation, target: Any, user: User | None = None) -> Obstacle | None:
    """The same, and whether that ends by itself."""
    around: str | None = operation.obstacle_around(target)
    if around is not None:
        return Obstacle(around, operation.ends_by_itself(target))
    if operation.needs_target and getattr(target, "missing_since", None) is not None:
        return Obstacle(_("%s is no longer there: Ganeti does not list it.") % target, ends_by_itself=False)
    if operation.locks and isinstance(target, Busy) and target.is_busy and target.busy_with not in operation.overrules:
        return Obstacle(_describe_busy(target.busy_with), ends_by_itself=True)
    own: str | None = operation.obstacle(target)
    if own is not None:
        return Obstacle(own, operation.ends_by_itself(target))
    never = operation.obstacle_for(user, target) if user is not None else None
    return Obstacle(never, ends_by_itself=False) if never is not None else None


def _describe_busy(key: str) -> str:
    """What keeps the target busy, by the key of its operation; one of another release is called by that key."""
    operation = OPERATIONS.get(key)
    noun = (operation.noun or operation.label) if operation is not None else key
    return _("%s is already in progress. Wait until it has ended.") % noun


def find_detour(operation: AnyOperation, target: Any, held: Collection[str]) -> Detour | None:
    """The way round, for who holds the verbs `held` on the target; None if there is none, or no need for one."""
    detour = operation.detour(target)
    if detour is None or operation.needs not in held or not find_obstacle(operation, target):
        return None
    if any(step.needs not in held for step in detour.around) or find_obstacle(detour.before[0], target):
        return None
    return detour


def list_offers(
    target: Any, operations: Sequence[AnyOperation], held: frozenset[str], user: User | None = None
) -> list[Offer]:
    """Those of the operations that suit the target, as buttons for who holds the verbs `held` on it (`verbs_on`).

    What depends on parameters is judged when it is run.
    """
    offers = []
    refusals: dict[str, str] = {}  # few verbs are needed for many operations
    for operation in operations:
        if not operation.suits(target):
            continue
        lacking = next((verb for verb in (operation.needs, *operation.needs_too) if verb not in held), None)
        if lacking is not None:
            if lacking not in refusals:
                refusals[lacking] = access_of(type(target)).refuse(lacking)
            offers.append(Offer(operation, refusals[lacking]))
            continue
        reason = None if find_detour(operation, target, held) else find_obstacle(operation, target, user)
        offers.append(Offer(operation, reason or ""))
    return offers
