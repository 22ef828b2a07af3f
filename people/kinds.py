"""People, their keys and tokens, what they ask for, and roles, in the table of kinds."""

from objectlog.words import gettext as _
from people.request_selectors import list_requests, pick_request
from people.selectors import list_keys, list_people, list_tokens, pick_key, pick_person, pick_token
from permissions.kinds import Kind, add_kind
from permissions.models import Role, SshKey, Token, User
from permissions.selectors import list_roles_to_look_at, pick_role
from quotas.models import Request

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

add_kind(
    Kind(
        "request",
        Request,
        typed="NUMBER",
        pattern=r"(?P<number>[0-9]{1,18})",
        rows=list_requests,
        pick=pick_request,
        place=lambda asked: (asked.pk,),
        named=lambda asked: _("Request %s") % asked.pk,
    )
)

add_kind(
    Kind(
        "role",
        Role,
        typed="ROLE",
        pattern=r"(?P<name>[^@/][^/]*)",
        rows=list_roles_to_look_at,
        pick=pick_role,
        place=lambda role: (role.name,),
        needed=("name",),
    )
)
