"""People, in the table of kinds."""

from people.selectors import list_people, pick_person
from permissions.kinds import Kind, add_kind
from permissions.models import User

add_kind(
    Kind(
        "person",
        User,
        typed="USER",
        pattern=r"(?P<name>[\w.@+-]+)",
        rows=list_people,
        pick=pick_person,
        named=lambda person: person.username,
    )
)
