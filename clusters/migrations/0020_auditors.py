"""A right to see everything on a cluster, and to change nothing."""

from django.db import migrations

_RIGHTS = [
    ("admin", "Everything on the cluster and its machines"),
    ("create_vm", "Create machines"),
    ("migrate", "Move machines"),
    ("export", "Export machines"),
    ("replace_disks", "Replace disks"),
    ("tags", "Set tags"),
    ("audit", "See everything, and change nothing"),
]


class Migration(migrations.Migration):
    dependencies = [("clusters", "0019_machine_sizes")]

    operations = [
        migrations.AlterModelOptions(
            name="cluster", options={"default_permissions": (), "ordering": ["slug"], "permissions": _RIGHTS}
        )
    ]
