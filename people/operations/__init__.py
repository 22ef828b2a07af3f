"""What can be done to rights and roles."""

from operations.table import register
from people.operations.rights import Grant, GrantRole, Revoke, RevokeRole, SetRole

register(
    *(each(kind) for kind in ("vm", "cluster", "team") for each in (Grant, Revoke)),
    *(each(kind) for kind in ("vm", "cluster", "team", "site") for each in (GrantRole, RevokeRole)),
    SetRole(),
)
