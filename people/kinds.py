"""People and their keys, in the table of kinds."""

from people.selectors import list_keys, list_people, pick_key, pick_person
from permissions.kinds import Kind, add_kind
from permissions.models import SshKey, User

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

add_kind(
    Kind(
        "key",
        SshKey,
        typed="USER/FINGERPRINT",
        pattern=r"(?P<name>[\w.@+-]+)/(?P<fingerprint>SHA256:[\w+/]+)",
        rows=list_keys,
        pick=pick_key,
    )
)
