"""SQL of the owners' names that are kept beside the machines, so that an index has those whose tag names another.

An owner is given, and a team called otherwise, in many ways; triggers see all of them, the release before included.
Names of tables and no models, for it is asked for before there are any.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations.triggers import PREFIX, Columns, create_trigger

VMS, PERSONAS = "virtualmachines_virtualmachine", "permissions_persona"
_PEOPLE, _TEAMS = "permissions_user", "auth_group"


def make_triggers(vendor: str, columns_of: Columns) -> Iterator[str]:
    """For every machine that gets an owner, and every owner who is called otherwise; and then for what was written
    while there were none."""
    if "owner_name" not in columns_of(VMS) or not columns_of(PERSONAS):
        return
    differs = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
    # Also where a row is written back as it was read before.
    changed = f"OLD.owner_id {differs} NEW.owner_id OR OLD.owner_name {differs} NEW.owner_name"
    for event, when in (("insert", "NEW.owner_id IS NOT NULL OR NEW.owner_name <> ''"), ("update", changed)):
        name = f"{PREFIX}owner_name_{event}"
        yield from create_trigger(vendor, name, event, VMS, f"{_keep('NEW.owner_id')} AND id = NEW.id", when=when)
    for table, column, key in ((_PEOPLE, "username", "user_id"), (_TEAMS, "name", "group_id")):
        owned = f"owner_id IN (SELECT id FROM {PERSONAS} WHERE {key} = NEW.id)"  # noqa: S608
        when = f"OLD.{column} {differs} NEW.{column}"
        name = f"{PREFIX}owner_name_of_{table}"
        yield from create_trigger(vendor, name, "update", table, f"{_keep('owner_id')} AND {owned}", when=when)
    yield KEEP_ALL


def _keep(owner: str) -> str:
    """SQL: the name of the owner with this key into machines that have another one."""
    return f"UPDATE {VMS} SET owner_name = {name_of(owner)} WHERE owner_name <> {name_of(owner)}"  # noqa: S608


def name_of(owner: str) -> str:
    """SQL: whom a tag names that is of this owner. A person called like a team (@…) has none, see `operations.owning`;
    nobody has none either."""
    name = "CASE WHEN g.id IS NOT NULL THEN '@' || g.name WHEN SUBSTR(u.username, 1, 1) <> '@' THEN u.username END"
    joined = f"{PERSONAS} p LEFT JOIN {_PEOPLE} u ON u.id = p.user_id LEFT JOIN {_TEAMS} g ON g.id = p.group_id"
    return f"COALESCE((SELECT {name} FROM {joined} WHERE p.id = {owner}), '')"  # noqa: S608


# What a comparison finds wrong, and what mends it.
WRONG = f"owner_name <> {name_of('owner_id')}"
KEEP_ALL = f"UPDATE {VMS} SET owner_name = {name_of('owner_id')} WHERE {WRONG}"  # noqa: S608
