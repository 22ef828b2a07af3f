"""What keeps a row busy is called by the key of its operation, "vm.…", as entries of the journal call it."""

from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Concat, StrIndex, Substr


def lengthen(apps, schema_editor):
    rows = apps.get_model("virtualmachines", "VirtualMachine").objects
    rows.exclude(busy_with="").exclude(busy_with__contains=".").update(busy_with=Concat(Value("vm."), F("busy_with")))


def shorten(apps, schema_editor):
    rows = apps.get_model("virtualmachines", "VirtualMachine").objects
    rows.filter(busy_with__contains=".").update(busy_with=Substr("busy_with", StrIndex("busy_with", Value(".")) + 1))


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0008_fill_tags")]
    operations = [
        migrations.AlterField(
            model_name="virtualmachine",
            name="busy_with",
            field=models.CharField(blank=True, help_text="key of the operation under way", max_length=40),
        ),
        migrations.RunPython(lengthen, shorten),
    ]
