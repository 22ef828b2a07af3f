from django.db import migrations

VERBS = (("admin", "Everything on the team"), ("act", "Act for the team"))


def let_members_act(apps, schema_editor):
    """Until now every member of a group could act for it; the right to it is granted to the group itself."""
    db = schema_editor.connection.alias
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    Grant = apps.get_model("permissions", "TeamGroupGrant")
    kind, _ = ContentType.objects.using(db).get_or_create(app_label="permissions", model="team")
    verbs = {
        verb: Permission.objects.using(db).get_or_create(content_type=kind, codename=verb, defaults={"name": name})[0]
        for verb, name in VERBS
    }
    for key in Group.objects.using(db).values_list("pk", flat=True):
        Grant.objects.using(db).get_or_create(permission=verbs["act"], group_id=key, content_object_id=key)


class Migration(migrations.Migration):
    dependencies = [("permissions", "0002_teams_and_roles"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [migrations.RunPython(let_members_act, migrations.RunPython.noop)]
