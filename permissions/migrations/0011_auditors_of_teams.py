"""Auditors see teams and templates, too, where their role is as it was made."""

from typing import Any

from django.db import migrations

_ROLE = {"name": "auditor", "description": "Sees everything and who did what, and changes nothing"}
_BEFORE, _MORE = [("cluster", "audit")], [("team", "audit"), ("template", "audit")]


def _as_made(apps: Any, held: list[tuple[str, str]]) -> list[Any]:
    roles = apps.get_model("permissions", "Role").objects.filter(**_ROLE)
    return [role for role in roles if sorted(role.verbs.values_list("kind", "verb")) == held]


def add(apps: Any, _editor: Any) -> None:
    """What they lack."""
    verb = apps.get_model("permissions", "RoleVerb")
    for role in _as_made(apps, _BEFORE):
        verb.objects.bulk_create(verb(role=role, kind=kind, verb=each) for kind, each in _MORE)


def remove(apps: Any, _editor: Any) -> None:
    """The same again."""
    for role in _as_made(apps, [*_BEFORE, *_MORE]):
        role.verbs.filter(kind__in=[kind for kind, _verb in _MORE]).delete()


class Migration(migrations.Migration):
    dependencies = [("permissions", "0010_roles_to_begin_with")]

    operations = [
        migrations.AlterModelOptions(
            name="team",
            options={
                "default_permissions": (),
                "permissions": [
                    ("admin", "Everything on the team"),
                    ("act", "Act for the team"),
                    ("audit", "See everything of it"),
                ],
            },
        ),
        migrations.RunPython(add, remove),
    ]
