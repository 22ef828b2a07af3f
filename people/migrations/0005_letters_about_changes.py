"""Mails about changes of a password or of second factors."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0004_letters_to_register"),
    ]

    operations = [
        migrations.AlterField(
            model_name="letter",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("reset", "Reset"),
                    ("invite", "Invite"),
                    ("confirm", "Confirm"),
                    ("changed", "Changed"),
                    ("register", "Register"),
                    ("asked", "Asked"),
                    ("decided", "Decided"),
                    ("password", "Credential"),
                    ("factors", "Factors"),
                ],
                max_length=20,
            ),
        ),
    ]
