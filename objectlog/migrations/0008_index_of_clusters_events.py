"""Events of a cluster in the order of time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("objectlog", "0007_index_of_listed_events")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["cluster_pk", "at"], name="event_of_cluster"),
        ),
    ]
