"""Indexes in which all stands that decides who may read an event."""

from django.conf import settings
from django.db import migrations, models

_NEW = {
    "event_about": ["target_kind", "target_pk", "-at", "-id", "is_overtaken"],
    "event_listed": ["is_overtaken", "-at", "-id", "target_kind", "target_pk", "actor"],
    "event_by_kind": ["target_kind", "-at", "-id", "target_pk", "is_overtaken"],
}


class Migration(migrations.Migration):
    dependencies = [
        ("objectlog", "0010_text_of_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(migrations.RemoveIndex("event", name) for name in _NEW),
        *(migrations.AddIndex("event", models.Index(fields=fields, name=name)) for name, fields in _NEW.items()),
        migrations.AddIndex(
            "event", models.Index(fields=["actor", "-at", "-id", "is_overtaken"], name="event_of_actor")
        ),
    ]
