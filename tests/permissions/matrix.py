"""Who may do what at every address: the rows that tests/permissions/test_matrix.py runs.

A row lists the roles that may; those who see the object without being allowed get 403, everybody else who is signed in
404, and who is not signed in is sent to sign in. A test fails for an address or an operation without a row.
"""

from dataclasses import dataclass
from uuid import UUID

from tests.factories import FINGERPRINT

# Everybody who is signed in, from nothing to everything.
ROLES = (
    "stranger",
    "vm_tags",
    "vm_remove",
    "vm_modify",
    "vm_console",
    "vm_power",
    "vm_admin",
    "vm_admin_by_group",
    "owner",
    "t_member",
    "t_audit",
    "t_admin",
    "c_tags",
    "c_audit",
    "c_create_vm",
    "c_export",
    "c_replace_disks",
    "c_migrate",
    "c_admin",
    "c_admin_by_group",
    "other_admin",
    "staff",
    "auditor",  # by the role, on everything
    "root",
)
EVERYBODY = frozenset(ROLES)
ROOT = frozenset({"root"})
CLUSTER_ADMINS = ROOT | {"c_admin", "c_admin_by_group"}
AUDITORS = frozenset({"c_audit", "auditor"})
SEE_CLUSTER = CLUSTER_ADMINS | AUDITORS | {"c_tags", "c_create_vm", "c_export", "c_replace_disks", "c_migrate"}
SEE_NODES = CLUSTER_ADMINS | AUDITORS | {"c_migrate", "c_replace_disks"}
VM_ADMINS = CLUSTER_ADMINS | {"vm_admin", "vm_admin_by_group"}
MIGRATE = CLUSTER_ADMINS | {"c_migrate"}
POWER = VM_ADMINS | {"vm_power"}
CONSOLE = POWER | {"vm_console"}
CREATE = CLUSTER_ADMINS | {"c_create_vm", "other_admin"}  # somewhere
SEE_VM = CONSOLE | AUDITORS | {"vm_tags", "vm_remove", "vm_modify", "c_export", "c_replace_disks", "c_migrate"}
USE_TEMPLATE = CLUSTER_ADMINS | {"c_create_vm"}  # to whom use of it was granted
SEE_TEMPLATE = USE_TEMPLATE | AUDITORS
SEE_TEAM = ROOT | {"t_member", "t_audit", "t_admin", "auditor"}
TEAM_ADMINS = ROOT | {"t_admin"}
SEE_JOB = CONSOLE | AUDITORS | {"vm_tags", "vm_remove", "vm_modify", "c_replace_disks", "c_migrate"}
SEE_PEOPLE = ROOT | {"auditor"}
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    """`may` do it, `see` the object (403 instead of 404), by `method`; `open` to people who are not signed in."""

    may: frozenset[str]
    see: frozenset[str] = NOBODY
    method: str = "get"
    open: bool = False


TEAM = {"name": "ops"}
TEMPLATE = {"slug": "lab", "name": "small"}
BATCH = {"uuid": UUID("30000000-0000-4000-8000-000000000001")}
CLUSTER, NODE, VM, JOB = (
    {"slug": "lab"},
    {"slug": "lab", "name": "node1.example.org"},
    {"slug": "lab", "name": "web1.example.org"},
    {"slug": "lab", "number": 7},
)
PERSON = {"name": "somebody"}
REQUEST = {"number": 4711}
WHERE: dict[str, dict[str, object]] = {
    "person-keys": PERSON,
    "person-tokens": PERSON,
    "token-do": {**PERSON, "token": "hook"},
    "cluster-key-feed": CLUSTER,
    "vm-key-feed": VM,
    "key-do": {**PERSON, "fingerprint": FINGERPRINT},
    **dict.fromkeys(["cluster", "cluster-edit", "cluster-parameters", "cluster-nodes", "cluster-jobs"], CLUSTER),
    **dict.fromkeys(["cluster-journal", "cluster-rights", "cluster-reconciliation", "cluster-quotas"], CLUSTER),
    "node-journal": NODE,
    **dict.fromkeys(["cluster-vms", "cluster-do"], CLUSTER),
    **dict.fromkeys(["node", "node-do", "node-jobs", "node-primary", "node-secondary"], NODE),
    **dict.fromkeys(["vm", "vm-actions", "vm-parameters", "vm-jobs", "vm-journal", "vm-rights", "vm-do"], VM),
    **dict.fromkeys(["vm-modify", "vm-modify-confirm"], VM),
    **dict.fromkeys(["vm-console", "vm-console-popout", "vm-console-ticket", "vm-console-picture"], VM),
    **dict.fromkeys(["template", "template-edit", "template-journal", "template-rights", "template-do"], TEMPLATE),
    **dict.fromkeys(["person", "person-rights", "person-journal", "person-usage", "person-do"], PERSON),
    **dict.fromkeys(["team", "team-vms", "team-rights", "team-journal", "team-usage", "team-keys", "team-do"], TEAM),
    "site-do": {},
    "role-do": {"name": "porter"},
    "batch": BATCH,
    "new-email": {"token": "nothing"},
    **dict.fromkeys(["request", "request-do"], REQUEST),
    "end-session": {"number": 1},
    "make-account": {"token": "nothing"},
    "factor-remove": {"number": 1},
    **{f"openid-{what}": {"provider": "corp"} for what in ("begin", "back", "connect", "disconnect")},
    "new-password": {"uidb36": "1", "key": "nothing"},
    "batch-do": {**BATCH, "verb": "stop"},
    **dict.fromkeys(["job", "job-status", "job-do"], JOB),
}

PAGES: dict[str, Row] = {
    "login": Row(EVERYBODY, open=True),
    "logout": Row(EVERYBODY, method="post", open=True),
    **dict.fromkeys(["profile", "change-email", "change-password", "password-again"], Row(EVERYBODY)),
    **dict.fromkeys(["second-factor", "passkey-options"], Row(EVERYBODY, open=True)),
    "passkey-sign-in": Row(EVERYBODY, method="post", open=True),
    **dict.fromkeys(["factors", "factor-app", "factor-passkey", "factor-codes"], Row(EVERYBODY)),
    **dict.fromkeys(["factor-passkey-options", "passkey-again"], Row(EVERYBODY)),
    "factor-remove": Row(NOBODY),  # none of theirs
    **dict.fromkeys(["register", "register-sent"], Row(NOBODY, see=EVERYBODY, open=True)),  # closed
    "make-account": Row(NOBODY, open=True),  # without a link that was mailed
    "openid-begin": Row(NOBODY, method="post", open=True),  # no provider is set
    "openid-back": Row(NOBODY, open=True),
    **dict.fromkeys(["openid-connect", "openid-disconnect"], Row(NOBODY, method="post")),
    "connections": Row(EVERYBODY),
    "directory-connect": Row(NOBODY),  # there is none
    "new-email": Row(NOBODY),  # without a link that was mailed
    "end-session": Row(NOBODY, method="post"),  # none of theirs
    "end-other-sessions": Row(EVERYBODY, method="post"),
    **dict.fromkeys(["forgot-password", "forgot-password-sent"], Row(EVERYBODY, open=True)),
    "new-password": Row(NOBODY, open=True),  # without a link that was mailed
    "own-keys": Row(EVERYBODY),
    "own-tokens": Row(EVERYBODY),
    "person-tokens": Row(SEE_PEOPLE),  # of somebody else
    **dict.fromkeys(["key-feed", "cluster-key-feed", "vm-key-feed"], Row(EVERYBODY, open=True)),  # asks for a token
    "person-keys": Row(SEE_PEOPLE),  # of somebody else
    "lists": Row(EVERYBODY, method="post"),
    "explain": Row(EVERYBODY),
    "names": Row(EVERYBODY),
    "acting": Row(EVERYBODY),
    "view-as": Row(ROOT, see=EVERYBODY),
    "view-as-stop": Row(EVERYBODY, method="post"),
    "teams": Row(EVERYBODY),
    "team-create": Row(ROOT, see=EVERYBODY),
    **dict.fromkeys(["team", "team-vms", "team-journal"], Row(SEE_TEAM)),
    **dict.fromkeys(["team-rights", "team-keys"], Row(TEAM_ADMINS | {"t_audit", "auditor"}, see=SEE_TEAM)),
    "overview": Row(EVERYBODY),
    "dock": Row(EVERYBODY),
    "live-ages": Row(EVERYBODY),
    "live-changed": Row(NOBODY, see=EVERYBODY),  # without a note of one's own: 403
    "about": Row(EVERYBODY),
    "journal": Row(EVERYBODY),
    "health": Row(ROOT, see=EVERYBODY),
    "styleguide": Row(ROOT | {"staff"}, see=EVERYBODY),
    "clusters": Row(EVERYBODY),
    "nodes": Row(EVERYBODY),
    "vms": Row(EVERYBODY),
    "jobs": Row(EVERYBODY),
    "vms-create": Row(CREATE, see=EVERYBODY),
    "vms-create-live": Row(CREATE, see=EVERYBODY, method="post"),
    "templates": Row(EVERYBODY),
    "template-create": Row(CREATE, see=EVERYBODY),
    **dict.fromkeys(["template", "template-journal"], Row(SEE_TEMPLATE)),
    "template-rights": Row(CLUSTER_ADMINS | AUDITORS, see=SEE_TEMPLATE),
    "template-edit": Row(CLUSTER_ADMINS, see=SEE_TEMPLATE),
    **dict.fromkeys(["people", "site-rights"], Row(SEE_PEOPLE, see=EVERYBODY)),
    **dict.fromkeys(["person-add", "role-create"], Row(ROOT, see=EVERYBODY)),
    **dict.fromkeys(["person", "person-rights", "person-journal", "person-usage"], Row(SEE_PEOPLE)),
    "vms-batch": Row(EVERYBODY, method="post"),
    "reconciliation": Row(CLUSTER_ADMINS | {"other_admin"}, see=EVERYBODY),
    "reconciliation-batch": Row(CLUSTER_ADMINS | {"other_admin"}, see=EVERYBODY, method="post"),
    "batches": Row(EVERYBODY),
    "batch": Row(ROOT),  # of whom it is, see tests/pages/test_batches.py
    "batch-do": Row(ROOT, method="post"),
    "cluster-add": Row(ROOT, see=EVERYBODY),
    "cluster": Row(SEE_CLUSTER),
    "cluster-vms": Row(SEE_CLUSTER),
    "cluster-nodes": Row(SEE_CLUSTER),
    "cluster-jobs": Row(SEE_CLUSTER),
    "cluster-journal": Row(SEE_CLUSTER),
    "cluster-parameters": Row(SEE_CLUSTER),
    "cluster-rights": Row(CLUSTER_ADMINS | AUDITORS, see=SEE_CLUSTER),
    "cluster-reconciliation": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    "cluster-quotas": Row(CLUSTER_ADMINS | AUDITORS, see=SEE_CLUSTER),
    **dict.fromkeys(["usage", "requests", "ask-quota", "ask-machine"], Row(EVERYBODY)),
    "request": Row(CLUSTER_ADMINS | AUDITORS),  # of somebody else
    "team-usage": Row(SEE_TEAM),
    "cluster-edit": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    "node": Row(SEE_NODES),
    "node-primary": Row(SEE_NODES),
    "node-secondary": Row(SEE_NODES),
    "node-jobs": Row(SEE_NODES),
    "node-journal": Row(SEE_NODES),
    "vm": Row(SEE_VM),
    "vm-actions": Row(SEE_VM),
    "vm-parameters": Row(SEE_VM),
    "vm-jobs": Row(SEE_VM),
    "vm-journal": Row(SEE_VM),
    "vm-rights": Row(VM_ADMINS | AUDITORS, see=SEE_VM),
    **dict.fromkeys(["vm-modify", "vm-modify-confirm"], Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM)),
    "vm-console": Row(CONSOLE, see=SEE_VM),
    "vm-console-popout": Row(CONSOLE, see=SEE_VM),
    "vm-console-ticket": Row(CONSOLE, see=SEE_VM, method="post"),
    "vm-console-picture": Row(CONSOLE, see=SEE_VM, method="post"),
    "job": Row(SEE_JOB),
    "job-status": Row(SEE_JOB),
}

# Addresses that stand for one operation each.
_KINDS = ("vm", "template", "node", "cluster", "job", "person", "team", "key", "token", "request", "site", "role")
DOORS = {kind: f"{kind}-do" for kind in _KINDS}
# Operations with a page of their own.
OWN_PAGES = {
    "cluster.add": "cluster-add",
    "person.add": "person-add",
    "person.use-email": "new-email",
    "cluster.edit": "cluster-edit",
    "vm.console": "vm-console-ticket",
    "key.add": "person-keys",
    "token.add": "person-tokens",
    "request.ask-quota": "ask-quota",
    "request.ask-machine": "ask-machine",
    "template.create": "template-create",
    "team.create": "team-create",
    "role.create": "role-create",
    "template.edit": "template-edit",
    "vm.modify": "vm-modify",
}

RIGHTS = ("grant", "revoke", "set-rights")
OPERATIONS: dict[str, Row] = {
    "vm.start": Row(POWER, see=SEE_VM),
    "vm.shutdown": Row(POWER, see=SEE_VM),
    "vm.shutdown-now": Row(POWER, see=SEE_VM),
    "vm.reboot": Row(POWER, see=SEE_VM),
    "vm.apply-settings": Row(POWER, see=SEE_VM),
    "vm.modify": Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM),
    **dict.fromkeys(("vm.grow-disk", "vm.detach-disk", "vm.convert-disks"), Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM)),
    "vm.attach-disk": Row(CLUSTER_ADMINS, see=SEE_VM),
    "vm.rename": Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM),
    **{f"vm.{verb}": Row(MIGRATE, see=SEE_VM) for verb in ("migrate", "failover", "cleanup-migration")},
    "vm.create": Row(CLUSTER_ADMINS | {"c_create_vm"}, see=SEE_CLUSTER),
    "template.create": Row(CREATE, see=EVERYBODY),
    "template.copy": Row(USE_TEMPLATE, see=SEE_TEMPLATE),
    **{f"template.{verb}": Row(CLUSTER_ADMINS, see=SEE_TEMPLATE) for verb in ("edit", "delete")},
    **{f"template.{verb}": Row(CLUSTER_ADMINS, see=SEE_TEMPLATE) for verb in (*RIGHTS, "grant-role", "revoke-role")},
    "vm.replace-disks": Row(CLUSTER_ADMINS | {"c_replace_disks"}, see=SEE_VM),
    "vm.export": Row(CLUSTER_ADMINS | {"c_export"}, see=SEE_VM),
    "vm.export-and-remove": Row(CLUSTER_ADMINS, see=SEE_VM),
    "vm.reinstall": Row(VM_ADMINS | {"vm_remove"}, see=SEE_VM),
    **{
        f"vm.{verb}-disks": Row(CLUSTER_ADMINS | {"c_replace_disks"}, see=SEE_VM)
        for verb in ("activate", "deactivate", "recreate")
    },
    **{f"vm.set-{state}": Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM) for state in ("offline", "online")},
    **{f"vm.{verb}-tags": Row(VM_ADMINS | {"vm_tags"}, see=SEE_VM) for verb in ("add", "remove")},
    **{f"vm.{verb}": Row(CLUSTER_ADMINS, see=SEE_VM) for verb in ("set-owner", "adopt", "write-owner-tag", "accept")},
    "vm.delete": Row(VM_ADMINS | {"vm_remove"}, see=SEE_VM),
    **{f"vm.{verb}": Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM) for verb in ("protect", "unprotect", "notes")},
    **{f"vm.{verb}": Row(VM_ADMINS | {"vm_modify"}, see=SEE_VM) for verb in ("insert-cd", "eject-cd")},
    "cluster.sizes": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    **{f"cluster.{verb}-tags": Row(CLUSTER_ADMINS | {"c_tags"}, see=SEE_CLUSTER) for verb in ("add", "remove")},
    "cluster.cd-images": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    "vm.console": Row(CONSOLE, see=SEE_VM),
    "job.cancel": Row(POWER, see=SEE_JOB),
    "job.clear": Row(POWER, see=SEE_JOB),
    "cluster.refresh": Row(SEE_CLUSTER),
    "vm.discard": Row(VM_ADMINS | {"vm_remove"}, see=SEE_VM),
    "vm.forget": Row(CLUSTER_ADMINS, see=SEE_VM),
    **{f"node.{verb}": Row(CLUSTER_ADMINS, see=SEE_NODES) for verb in ("accept", "forget")},
    "cluster.add": Row(ROOT, see=EVERYBODY),
    "cluster.edit": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    **{f"cluster.{verb}": Row(CLUSTER_ADMINS, see=SEE_CLUSTER) for verb in ("set-default-quota", "set-quota")},
    **{f"request.{verb}": Row(EVERYBODY) for verb in ("ask-quota", "ask-machine")},
    **{f"request.{verb}": Row(CLUSTER_ADMINS, see=AUDITORS) for verb in ("approve", "decline")},  # of somebody else
    "request.withdraw": Row(ROOT, see=CLUSTER_ADMINS | AUDITORS),  # likewise
    "cluster.remove-quota": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    "cluster.use-address": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    "cluster.remove": Row(CLUSTER_ADMINS, see=SEE_CLUSTER),
    **{f"vm.{verb}": Row(VM_ADMINS, see=SEE_VM) for verb in (*RIGHTS, "grant-role", "revoke-role")},
    **{f"cluster.{verb}": Row(CLUSTER_ADMINS, see=SEE_CLUSTER) for verb in (*RIGHTS, "grant-role", "revoke-role")},
    **{f"team.{verb}": Row(TEAM_ADMINS, see=SEE_TEAM) for verb in (*RIGHTS, "grant-role", "revoke-role")},
    **{f"team.{verb}": Row(TEAM_ADMINS, see=SEE_TEAM) for verb in ("rename", "add-member", "remove-member")},
    **{f"team.{verb}": Row(TEAM_ADMINS, see=SEE_TEAM) for verb in ("add-admin", "remove-admin")},
    "team.create": Row(ROOT, see=EVERYBODY),
    "team.delete": Row(ROOT, see=SEE_TEAM),
    **{f"site.{verb}": Row(ROOT, see=EVERYBODY) for verb in ("grant-role", "revoke-role")},
    "role.create": Row(ROOT, see=EVERYBODY),
    **dict.fromkeys(["role.edit", "role.delete"], Row(ROOT, see=SEE_PEOPLE)),
    "token.add": Row(NOBODY),  # for somebody else
    "token.withdraw": Row(ROOT, see=SEE_PEOPLE),
    **{f"key.{verb}": Row(ROOT, see=SEE_PEOPLE) for verb in ("add", "edit", "remove")},  # of somebody else
    **dict.fromkeys(["person.reset-factors", "person.disconnect"], Row(ROOT, see=SEE_PEOPLE)),
    **{
        f"person.{verb}": Row(ROOT, see=SEE_PEOPLE)
        for verb in ("add", "edit", "set-password", "sign-out", "activate", "deactivate")
    },
    **{f"person.{verb}": Row(ROOT, see=SEE_PEOPLE) for verb in ("promote", "demote", "delete", "invite", "use-email")},
}
