"""Personas and given roles go as they are with the person or team that they are of: nothing changes in the database."""

from django.conf import settings
from django.db import migrations, models

from permissions.deleting import cascade_whole


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("permissions", "0012_names_of_former_givers"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name=name,
            field=field(blank=True, null=True, on_delete=cascade_whole, related_name=related_name, to=to),
        )
        for model, field, related_name in (
            ("persona", models.OneToOneField, "persona"),
            ("rolegrant", models.ForeignKey, "role_grants"),
        )
        for name, to in (("group", "auth.group"), ("user", settings.AUTH_USER_MODEL))
    ]
