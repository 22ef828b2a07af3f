"""Migrations that the release before can live with: while an upgrade lasts, its processes go on with the new tables.

The release before is the last one with a heading in CHANGELOG.md, alphas included: `RELEASED` names its last
migrations. Each one since is judged by itself: old code is what knew the tables as they were just before it, for there
are servers that run what is between two releases. Whoever makes a release moves `RELEASED` on and empties `ACCEPTED`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

from gwm import VERSION
from tests.up.running import ROOT

RELEASE = "1.0.0a1"
RELEASED = {
    "clusters": "0009_unreadable_records",
    "gwm": "0001_what_was_touched",
    "objectlog": "0003_keys_of_targets",
    "permissions": "0001_people",
    "virtualmachines": "0006_unreadable_records",
}
# What would break the release before, or may, and why it does not: by migration and finding.
_KEYS = "old code shows a key that it does not know as it is, and the new one settles what is open"
ACCEPTED: dict[str, str] = {
    "clusters.0011_keys_of_operations: RunPython": _KEYS,
    "clusters.0012_schedules: RunPython": "copies into a new table; the columns that old code reads stay",
    "clusters.0014_longer_job_titles: AlterField job.title": "a text is longer; old code shows what is behind it, too",
    "clusters.0014_longer_job_titles: RunPython": "does something on the way back only",
    "objectlog.0004_keys_of_operations: RunPython": _KEYS,
    "objectlog.0006_events_of_old_entries: RunPython": "writes into a new table only",
    "objectlog.0010_text_of_events: RunPython": "fills a new table and makes an index of it, which triggers keep",
    "operations.0003_steps_on_one_target: AddField batch.target_name: not null, no default in the database": (
        "no release had batches, and a migration to come can't mend what ran before it"
    ),
    "permissions.0003_members_act_for_their_teams: RunPython": "writes into new tables only",
    "permissions.0010_roles_to_begin_with: RunPython": "writes into new tables only",
    "permissions.0011_auditors_of_teams: RunPython": "writes into new tables only",
    "virtualmachines.0008_fill_tags: RunPython": "writes into a new table only",
    "virtualmachines.0009_keys_of_operations: RunPython": _KEYS,
    "virtualmachines.0012_text_of_machines: RunPython": "makes an index of a new table, which triggers fill",
}

_REMOVING = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
    migrations.AddConstraint,
    migrations.AlterUniqueTogether,
)
_BY_HAND = (migrations.RunPython, migrations.RunSQL)


def find_breaking(operation: Operation, app: str, state: ProjectState, old: ProjectState) -> Iterator[str]:
    """What old code would stumble over, in a word each: something is gone, or it is asked for what it does not know.

    `state` is what the operation meets, `old` what that code knows.
    """
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from find_breaking(each, app, state, old)
    elif isinstance(operation, _BY_HAND):
        yield type(operation).__name__
    else:
        name = getattr(operation, "model_name", getattr(operation, "name", getattr(operation, "old_name", ""))).lower()
        if (app, name) not in old.models:
            return  # a table that old code does not know
        if isinstance(operation, _REMOVING):
            yield f"{type(operation).__name__} {name}"
        if isinstance(operation, migrations.AddField) and refuses_nothing(operation.field):
            yield f"AddField {name}.{operation.name}: not null, no default in the database"
        if isinstance(operation, migrations.AlterField):
            before = state.models[app, name].fields[operation.name]
            is_known = operation.name in old.models[app, name].fields
            if is_known and not takes_what(before, operation.field):
                yield f"AlterField {name}.{operation.name}"


def refuses_nothing(field: models.Field) -> bool:
    """Whether the database wants a value for the column from whoever does not know it."""
    return not field.many_to_many and not field.null and field.db_default is NOT_PROVIDED


def takes_what(before: models.Field, after: models.Field) -> bool:
    """Whether every value that the column took before, also none, still is one, and is read as it was."""
    same_type = before.get_internal_type() == after.get_internal_type()
    fits = (after.max_length or 0) >= (before.max_length or 0)
    return same_type and fits and (after.null or not before.null) and (before.unique or not after.unique)


def ours() -> set[str]:
    """The apps of this project that have migrations."""
    return {each.label for each in apps.get_app_configs() if Path(each.path).parent == ROOT}


def released_keys(loader: MigrationLoader) -> set[tuple[str, str]]:
    """The migrations that the release before knew."""
    return {key for leaf in RELEASED.items() for key in loader.graph.forwards_plan(leaf)}


def released_state(loader: MigrationLoader) -> ProjectState:
    """Tables and columns as the release before knew them."""
    return loader.project_state(list(RELEASED.items()))


def list_released_models() -> list[type[models.Model]]:
    """The models of this project as the release before has them."""
    found = released_state(MigrationLoader(None, ignore_no_migrations=True)).apps.get_models()
    return [model for model in found if model._meta.app_label in ours() and not model._meta.proxy]


def list_findings(loader: MigrationLoader) -> set[str]:
    """Of all migrations since: "app.migration: what would break"."""
    known, known_apps, state = released_keys(loader), ours(), ProjectState()
    found = set()
    for app, name in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):
        migration, is_judged = loader.graph.nodes[app, name], app in known_apps and (app, name) not in known
        old = state.clone() if is_judged else state
        if is_judged and not migration.atomic:  # ended half way, it can't be begun again
            found.add(f"{app}.{name}: not atomic")
        for operation in migration.operations:
            if is_judged:
                found |= {f"{app}.{name}: {each}" for each in find_breaking(operation, app, state, old)}
            operation.state_forwards(app, state)
    return found


def test_the_release_before_is_the_last_in_the_changelog():
    assert RELEASE == VERSION and set(RELEASED) <= ours()


def test_what_would_break_it_is_accepted_for_a_reason():
    assert list_findings(MigrationLoader(None, ignore_no_migrations=True)) == set(ACCEPTED)


@pytest.mark.django_db
def test_every_column_that_it_knows_is_there_and_none_that_it_does_not_is_asked_of_it():
    """SQLite makes a table anew from what the models say by then: a column kept for old code alone would be lost."""
    problems = []
    with connection.cursor() as cursor:
        for model in list_released_models():
            table = model._meta.db_table
            there = {each.name: each for each in connection.introspection.get_table_description(cursor, table)}
            known = {field.column for field in model._meta.local_concrete_fields}
            problems += [f"{table}.{column} is gone" for column in known - set(there)]
            problems += [
                f"{table}.{column} wants a value"
                for column in set(there) - known
                if not there[column].null_ok and there[column].default is None
            ]
    assert problems == []


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        (migrations.RemoveField("cluster", "host"), ["RemoveField cluster"]),
        (migrations.RenameField("cluster", "host", "address"), ["RenameField cluster"]),
        (migrations.DeleteModel("Cluster"), ["DeleteModel cluster"]),
        (migrations.RenameModel("Cluster", "Site"), ["RenameModel cluster"]),
        (
            migrations.AddField("cluster", "x", models.IntegerField(default=0)),
            ["AddField cluster.x: not null, no default in the database"],
        ),
        (migrations.AddField("cluster", "x", models.IntegerField(default=0, db_default=0)), []),
        (migrations.AddField("cluster", "x", models.IntegerField(null=True)), []),
        (migrations.AddField("schedule", "x", models.IntegerField(default=0)), []),
        (migrations.AlterField("cluster", "host", models.CharField(max_length=10)), ["AlterField cluster.host"]),
        (migrations.AlterField("cluster", "host", models.IntegerField()), ["AlterField cluster.host"]),
        (migrations.AlterField("cluster", "host", models.CharField(max_length=400)), []),
        (migrations.RunPython(migrations.RunPython.noop), ["RunPython"]),
        (
            migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("cluster", "host")]),
            ["RemoveField cluster"],
        ),
        (migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("cluster", "host")]), []),
    ],
)
def test_each_kind_of_breaking_is_found(operation, found):
    released = released_state(MigrationLoader(None, ignore_no_migrations=True))
    assert list(find_breaking(operation, "clusters", released, released)) == found


def test_a_migration_is_judged_by_what_the_one_before_it_left():
    """A table and a column that no release had yet are known to whoever runs what is in between."""

    class Made(migrations.Migration):
        dependencies = [("clusters", RELEASED["clusters"])]
        operations = [migrations.CreateModel("Rack", [("name", models.CharField(max_length=9, primary_key=True))])]

    class Changed(migrations.Migration):
        atomic = False
        dependencies = [("clusters", "2001_made")]
        operations = [
            migrations.AddField("rack", "height", models.IntegerField(default=0)),
            migrations.AddField("rack", "width", models.IntegerField(null=True)),
            migrations.AlterField("rack", "width", models.IntegerField(default=0, db_default=0)),
            migrations.AddConstraint("rack", models.UniqueConstraint("height", name="rack_once")),
            migrations.AddIndex("rack", models.Index(fields=["height"], name="rack_height")),
        ]

    class Gone(migrations.Migration):
        dependencies = [("clusters", "2002_changed")]
        operations = [
            migrations.AlterField("rack", "width", models.IntegerField(default=0, db_default=0, unique=True)),
            migrations.RenameField("rack", "width", "depth"),
            migrations.RemoveField("rack", "height"),
            migrations.RenameModel("Rack", "Shelf"),
            migrations.AlterModelTable("shelf", "shelves"),
        ]

    loader = MigrationLoader(None, ignore_no_migrations=True)
    previous = ("clusters", RELEASED["clusters"])
    for made in (Made, Changed, Gone):
        key = ("clusters", f"200{(Made, Changed, Gone).index(made) + 1}_{made.__name__.lower()}")
        loader.graph.add_node(key, made(key[1], key[0]))
        loader.graph.add_dependency(None, key, previous)
        previous = key
    assert list_findings(loader) - set(ACCEPTED) == {
        "clusters.2002_changed: not atomic",
        "clusters.2002_changed: AddField rack.height: not null, no default in the database",
        "clusters.2002_changed: AddConstraint rack",
        "clusters.2003_gone: AlterField rack.width",
        "clusters.2003_gone: RenameField rack",
        "clusters.2003_gone: RemoveField rack",
        "clusters.2003_gone: RenameModel rack",
    }
