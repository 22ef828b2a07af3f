"""Rights that end by themselves: nobody writes anything at that moment, so whoever has to know looks by the clock."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import F, QuerySet, Value
from django.db.models.fields import BigIntegerField

from permissions.models import Granted


def find_endings(after: datetime, until: datetime) -> tuple[set[int], bool]:
    """The people who had a grant of their own that ended in this time, and whether one of a team did. One query."""
    nobody = Value(None, output_field=BigIntegerField())
    ended: list[QuerySet[Any, Any]] = []
    for model in apps.get_models():
        if issubclass(model, Granted):
            names = {field.name for field in model._meta.get_fields()}
            who = F("user_id") if "user" in names else nobody
            rows = model._default_manager.filter(expires_at__gt=after, expires_at__lte=until).order_by()
            ended.append(rows.annotate(who=who).values_list("who"))
    found = {row[0] for row in ended[0].union(*ended[1:])}
    return {who for who in found if who is not None}, None in found
