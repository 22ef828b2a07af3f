"""When a quota was set, so that one that is younger than the end of a right stays."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("quotas", "0002_requests_and_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="quota",
            name="set_at",
            field=models.DateTimeField(blank=True, help_text="empty: by a release that did not keep it", null=True),
        ),
    ]
