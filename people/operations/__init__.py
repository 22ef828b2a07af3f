"""What can be done to accounts, keys, tokens, teams, quotas, requests, rights and roles."""

from operations.table import register
from people.factors import list_sealed, rotate
from people.operations.accounts import (
    Activate,
    Add,
    Deactivate,
    Delete,
    Demote,
    Edit,
    Promote,
    SetPassword,
    SignOut,
)
from people.operations.factors import ResetFactors
from people.operations.keys import AddKey, EditKey, RemoveKey
from people.operations.mailed import Invite, UseEmail
from people.operations.providers import Disconnect
from people.operations.quotas import RemoveQuota, SetDefaultQuota, SetQuota
from people.operations.requests import Approve, AskMachine, AskQuota, Decline, Withdraw
from people.operations.rights import (
    GRANTED_ON,
    ROLES_GRANTED_ON,
    Grant,
    GrantRole,
    Revoke,
    RevokeRole,
    SetRights,
)
from people.operations.roles import CreateRole, DeleteRole, EditRole
from people.operations.teams import (
    AddAdmin,
    AddMember,
    CreateTeam,
    DeleteTeam,
    RemoveAdmin,
    RemoveMember,
    RenameTeam,
)
from people.operations.tokens import AddToken, WithdrawToken
from sealing.rotation import PLACES, Place

PERSON_OPERATIONS = (
    Edit(),
    SetPassword(),
    Invite(),
    SignOut(),
    ResetFactors(),
    Disconnect(),
    Activate(),
    Deactivate(),
    Promote(),
    Demote(),
    Delete(),
)

REQUEST_OPERATIONS = (Approve(), Decline(), Withdraw())
PLACES.append(Place("second factor", list_sealed, rotate))

register(
    *(each(kind) for kind in GRANTED_ON for each in (Grant, Revoke, SetRights)),
    *(each(kind) for kind in ROLES_GRANTED_ON for each in (GrantRole, RevokeRole)),
    *(each() for each in (CreateRole, EditRole, DeleteRole)),
    Add(),
    UseEmail(),
    *PERSON_OPERATIONS,
    *(each() for each in (AddKey, EditKey, RemoveKey, AddToken, WithdrawToken)),
    *(each() for each in (SetDefaultQuota, SetQuota, RemoveQuota)),
    *(each() for each in (AskQuota, AskMachine)),
    *REQUEST_OPERATIONS,
    *(each() for each in (CreateTeam, AddMember, RemoveMember, AddAdmin, RemoveAdmin, RenameTeam, DeleteTeam)),
)
