"""The texts of events apart, with an index of three letters in a row."""

from django.db import migrations, models

from ui.trigrams import drop_index, execute, make_index

TEXTS = "objectlog_eventtext"
PARTS = f"{TEXTS}_parts"


def _make(apps, schema_editor):
    """Filled before the index is made, which takes a fifth of the time; elsewhere no trigger would keep it."""
    del apps
    connection = schema_editor.connection
    if connection.vendor in ("sqlite", "postgresql"):
        texts = "SELECT id, UPPER(said), UPPER(target_name) FROM objectlog_event"
        execute(connection, f"INSERT INTO {TEXTS} (id, said, target_name) {texts}")  # noqa: S608 - a table's name
        make_index(connection, TEXTS, ["said", "target_name"], PARTS, "The journal is searched")


def _drop(apps, schema_editor):
    del apps
    drop_index(schema_editor.connection, PARTS)


class Migration(migrations.Migration):
    dependencies = [("objectlog", "0009_indexes_in_order_of_time")]

    operations = [
        migrations.CreateModel(
            name="EventText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("said", models.TextField()),
                ("target_name", models.TextField()),
            ],
        ),
        migrations.RunPython(_make, _drop),
    ]
