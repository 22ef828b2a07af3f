"""Requests say who asked and who decided also when that account is deleted."""

from django.db import migrations, models


def _name(who: str) -> models.CharField:
    return models.CharField(
        blank=True,
        db_default="",
        default="",
        editable=False,
        help_text=f"the name of who {who} when that account is deleted",
        max_length=150,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("quotas", "0004_what_a_machine_is_made_by"),
    ]

    operations = [
        migrations.AddField(model_name="request", name="former_asker", field=_name("asked")),
        migrations.AddField(model_name="request", name="former_decider", field=_name("decided")),
    ]
