"""Indexes of what the journal is asked for, in the order in which its pages read it."""

import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("objectlog", "0008_index_of_clusters_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="event",
            name="event_target",
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["target_kind", "target_pk", "-at", "-id"], name="event_about"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                django.db.models.functions.text.Upper("actor_name"),
                models.OrderBy(models.F("at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="event_by_actor",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                django.db.models.functions.text.Upper("persona_name"),
                models.OrderBy(models.F("at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="event_by_persona",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["verb", "-at", "-id"], name="event_by_verb"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["is_overtaken", "outcome", "-at", "-id"], name="event_by_outcome"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["target_name", "-at", "-id"], name="event_by_target"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["target_kind", "-at", "-id"], name="event_by_kind"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["cluster_name", "-at", "-id"], name="event_by_cluster"),
        ),
    ]
