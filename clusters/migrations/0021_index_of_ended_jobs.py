"""The jobs that failed lately, without all those that ever failed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0020_auditors"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["status", "ended_at"], name="job_ended"),
        ),
        migrations.RemoveIndex(
            model_name="job",
            name="job_status",
        ),
    ]
