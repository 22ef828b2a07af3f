"""Who looked at the pages as somebody else sees them, for the journal."""

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from permissions.models import User


def record_viewing(viewer: User, person: User, *, begins: bool) -> None:
    """Write down that it began, or that it was ended."""
    note(
        actor_id=viewer.pk,
        actor_name=viewer.username,
        via=Via.WEB,
        verb="person.view-as" if begins else "person.stop-viewing",
        outcome=Outcome.DONE,
        target=Target("person", person.pk, person.username),
    )
