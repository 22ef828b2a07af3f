"""Rights that end by themselves: nobody writes anything at that moment, so whoever has to know looks by the clock."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import F, Max, Model, Q, QuerySet, Value
from django.db.models.fields import BigIntegerField

from permissions.models import Granted, RoleGrant
from permissions.policy.ways import access_of, grant_tables


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


def last_endings(model: type[Model], after: datetime, until: datetime) -> dict[tuple[str, int, int | None], datetime]:
    """When the latest of what was granted on an object of this kind ended, of what ended in this time.

    By "user" or "group", the key of that, and the key of the object; None: everything, by a role that holds something
    for this kind. Four queries, whatever there is.
    """
    tables, kind = grant_tables(model), access_of(model).kind or "-"
    roles = Q(scope_kind=kind) | Q(scope_kind="", tag="", owner=None, role__verbs__kind=kind)
    asked: list[tuple[Any, str, str, Q]] = [(RoleGrant, whom, "scope_pk", roles) for whom in ("user", "group")]
    if tables is not None:
        asked += [
            (table, whom, "content_object_id", Q()) for table, whom in zip(tables, ("user", "group"), strict=True)
        ]
    found: dict[tuple[str, int, int | None], datetime] = {}
    for table, whom, on, which in asked:
        ended = Q(which, expires_at__gt=after, expires_at__lte=until)
        rows = table._default_manager.filter(ended).exclude(**{whom: None}).order_by()
        for who, obj, end in rows.values_list(f"{whom}_id", on).annotate(end=Max("expires_at")):
            found[whom, who, obj] = max(end, found.get((whom, who, obj), end))
    return found
