"""Entries call an operation by its key, "vm.reboot", instead of by a name that is one of all kinds, "reboot"."""

from django.db import migrations
from django.db.models import F, Value
from django.db.models.functions import Concat, StrIndex, Substr

# Names that said the kind once more.
SHORTER = {
    "add-cluster": "cluster.add",
    "edit-cluster": "cluster.edit",
    "remove-cluster": "cluster.remove",
    "forget-node": "node.forget",
}


def lengthen(apps, schema_editor):
    entries = apps.get_model("objectlog", "Entry").objects
    for name, key in SHORTER.items():
        entries.filter(verb=name).update(verb=key)
    entries.exclude(verb__contains=".").exclude(target_kind="").update(
        verb=Concat(F("target_kind"), Value("."), F("verb"))
    )


def shorten(apps, schema_editor):
    entries = apps.get_model("objectlog", "Entry").objects
    for name, key in SHORTER.items():
        entries.filter(verb=key).update(verb=name)
    entries.filter(verb__contains=".").update(verb=Substr("verb", StrIndex("verb", Value(".")) + 1))


class Migration(migrations.Migration):
    dependencies = [("objectlog", "0003_keys_of_targets")]
    operations = [migrations.RunPython(lengthen, shorten)]
