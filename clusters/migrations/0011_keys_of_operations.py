"""What keeps a row busy is called by the key of its operation, "node.…", as entries of the journal call it."""

from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Concat, StrIndex, Substr


def lengthen(apps, schema_editor):
    rows = apps.get_model("clusters", "Node").objects
    rows.exclude(busy_with="").exclude(busy_with__contains=".").update(busy_with=Concat(Value("node."), F("busy_with")))


def shorten(apps, schema_editor):
    rows = apps.get_model("clusters", "Node").objects
    rows.filter(busy_with__contains=".").update(busy_with=Substr("busy_with", StrIndex("busy_with", Value(".")) + 1))


class Migration(migrations.Migration):
    dependencies = [("clusters", "0010_grants_tell_their_story")]
    operations = [
        migrations.AlterField(
            model_name="node",
            name="busy_with",
            field=models.CharField(blank=True, help_text="key of the operation under way", max_length=40),
        ),
        migrations.RunPython(lengthen, shorten),
    ]
