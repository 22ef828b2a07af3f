"""Roles that are there from the beginning; whoever has one of this name already keeps theirs."""

from typing import Any

from django.db import migrations

_ROLES = {
    "auditor": ("Sees everything and who did what, and changes nothing", {"cluster": ["audit"]}),
    "helpdesk": ("Starts and stops machines, and uses their consoles", {"vm": ["console", "power"]}),
    "operator": (
        "Runs machines: starts, stops, changes and moves them",
        {"vm": ["console", "modify", "power", "tags"], "cluster": ["migrate", "replace_disks"]},
    ),
    "owner": ("Everything on machines, including granting rights on them", {"vm": ["admin"]}),
}


def add(apps: Any, _editor: Any) -> None:
    """With what they hold."""
    role, verb = apps.get_model("permissions", "Role"), apps.get_model("permissions", "RoleVerb")
    for name, (description, held) in _ROLES.items():
        made, is_new = role.objects.get_or_create(name=name, defaults={"description": description})
        if is_new:
            verb.objects.bulk_create(verb(role=made, kind=kind, verb=each) for kind in held for each in held[kind])


def remove(apps: Any, _editor: Any) -> None:
    """Those that nobody was granted, and that are as they were made."""
    for name, (description, held) in _ROLES.items():
        for role in apps.get_model("permissions", "Role").objects.filter(name=name, description=description):
            now = sorted(role.verbs.values_list("kind", "verb"))
            if not role.grants.exists() and now == sorted((kind, each) for kind in held for each in held[kind]):
                role.delete()


class Migration(migrations.Migration):
    dependencies = [("permissions", "0009_claimed_memberships")]

    operations = [migrations.RunPython(add, remove)]
