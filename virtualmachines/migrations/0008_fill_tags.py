from django.db import migrations

BATCH = 2000


def fill(apps, schema_editor):
    """A row for each tag in the machines' columns."""
    db = schema_editor.connection.alias
    VirtualMachine = apps.get_model("virtualmachines", "VirtualMachine")
    MachineTag = apps.get_model("virtualmachines", "MachineTag")
    rows = []
    for key, tags in VirtualMachine.objects.using(db).exclude(tags=[]).values_list("pk", "tags").iterator(BATCH):
        rows += [MachineTag(machine_id=key, tag=tag) for tag in sorted({str(tag)[:128] for tag in tags or ()})]
        if len(rows) >= BATCH:
            MachineTag.objects.using(db).bulk_create(rows, ignore_conflicts=True)
            rows = []
    MachineTag.objects.using(db).bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0007_grants_and_tags")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
