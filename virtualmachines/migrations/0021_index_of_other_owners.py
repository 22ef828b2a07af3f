"""The name of its owner beside each machine, and an index of those whose tag names another. Triggers fill it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("permissions", "0010_roles_to_begin_with"),
        ("virtualmachines", "0020_index_of_unowned"),
    ]

    operations = [
        migrations.AddField(
            model_name="virtualmachine",
            name="owner_name",
            field=models.CharField(
                blank=True,
                db_default="",
                editable=False,
                help_text="whom a tag names that is of its owner, a user or @team; kept by the database "
                "(owner_triggers)",
                max_length=151,
            ),
        ),
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(
                condition=models.Q(owner__isnull=False, missing_since__isnull=True)
                & ~models.Q(owner_tag="")
                & ~models.Q(owner_tag=models.F("owner_name")),
                fields=["owner", "cluster", "id"],
                name="vm_other_owner",
            ),
        ),
    ]
