"""Mails about requests."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0002_letters_to_people"),
        ("quotas", "0002_requests_and_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="letter",
            name="asked",
            field=models.ForeignKey(
                blank=True,
                help_text="the request it tells of",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="quotas.request",
            ),
        ),
        migrations.AlterField(
            model_name="letter",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("reset", "Reset"),
                    ("invite", "Invite"),
                    ("confirm", "Confirm"),
                    ("changed", "Changed"),
                    ("asked", "Asked"),
                    ("decided", "Decided"),
                ],
                max_length=20,
            ),
        ),
    ]
