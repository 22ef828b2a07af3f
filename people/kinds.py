"""People, their keys and their tokens, in the table of kinds."""

from people.selectors import list_keys, list_people, list_tokens, pick_key, pick_person, pick_token
from permissions.kinds import Kind, add_kind
from permissions.models import SshKey, Token, User

add_kind(
    Kind(
        "person",
        User,
        typed="USER",
        pattern=r"(?P<name>[\w.@+-]+)",
        rows=list_people,
        pick=pick_person,
        place=lambda person: (person.username,),
        needed=("username",),
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

add_kind(
    Kind(
        "token",
        Token,
        typed="USER/TOKEN",
        pattern=r"(?P<name>[\w.@+-]+)/(?P<token>[\w.-]+)",
        rows=list_tokens,
        pick=pick_token,
    )
)
