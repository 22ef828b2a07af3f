"""Whom a mail is for, where that is known: invitations, and links that show whose an address is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_letters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="letter",
            name="person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="letter",
            name="purpose",
            field=models.CharField(
                choices=[("reset", "Reset"), ("invite", "Invite"), ("confirm", "Confirm"), ("changed", "Changed")],
                max_length=20,
            ),
        ),
    ]
