"""Indexes in which also stands whether an event is the last of its operation: pages far down are found in them alone."""

from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Upper

_TEXTS = {"event_by_verb": "verb", "event_by_target": "target_name", "event_by_cluster": "cluster_name"}
_NAMES = {"event_by_actor": "actor_name", "event_by_persona": "persona_name"}


class Migration(migrations.Migration):
    dependencies = [("objectlog", "0011_indexes_that_tell_who_may_read")]

    operations = [
        *(migrations.RemoveIndex("event", name) for name in (*_TEXTS, *_NAMES)),
        *(
            migrations.AddIndex("event", models.Index(fields=[field, "-at", "-id", "is_overtaken"], name=name))
            for name, field in _TEXTS.items()
        ),
        *(
            migrations.AddIndex(
                "event",
                models.Index(Upper(field), F("at").desc(), F("id").desc(), F("is_overtaken"), name=name),
            )
            for name, field in _NAMES.items()
        ),
    ]
