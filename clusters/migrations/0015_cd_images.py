"""Clusters know CD images that can be inserted. The release before goes on writing clusters without them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0014_longer_job_titles"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="cd_images",
            # With NULL: SQLite would make the table anew for a default, without the columns of the release before.
            field=models.JSONField(blank=True, null=True, help_text="CD images for its machines: {name, path} each"),
        ),
    ]
