"""Which texts in the database hold a translated word."""

import json
import re
from functools import cache

from django.apps import apps
from django.db import connection, models

from tests.words.pseudo import ACCENTED

# SQLite keeps JSON as a text with escapes.
_PSEUDO = re.compile("|".join([f"[{ACCENTED}]", *(re.escape(json.dumps(letter)[1:-1]) for letter in ACCENTED)]))


@cache
def _queries() -> list[tuple[str, list[str], str]]:
    """For each model its name, its fields of text, and what reads them as they stand."""
    queries = []
    for model in apps.get_models():
        fields = [
            field
            for field in model._meta.local_concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.JSONField)
        ]
        if fields:
            columns = ", ".join(f'CAST("{field.column}" AS text)' for field in fields)
            sql = f'SELECT {columns} FROM "{model._meta.db_table}"'  # noqa: S608 - names of our tables
            queries.append((model.__name__, [field.name for field in fields], sql))
    return queries


def list_translated() -> list[str]:
    """All of them."""
    found = []
    with connection.cursor() as cursor:
        for model, names, sql in _queries():
            cursor.execute(sql)
            for row in cursor.fetchall():
                found += [
                    f"{model}.{name}: {text}"
                    for name, text in zip(names, row, strict=True)
                    if _PSEUDO.search(text or "")
                ]
    return found
