"""One may be granted to see a template without using it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0021_index_of_other_owners")]

    operations = [
        migrations.AlterModelOptions(
            name="machinetemplate",
            options={
                "default_permissions": (),
                "ordering": ["name", "cluster"],
                "permissions": [
                    ("admin", "Change and delete it"),
                    ("use", "Create machines from it"),
                    ("audit", "See it wholly"),
                ],
            },
        ),
    ]
