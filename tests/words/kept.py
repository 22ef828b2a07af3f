"""Which texts in the database hold a translated word."""

import re

from django.apps import apps
from django.db import models
from django.db.models.functions import Cast

from tests.words.pseudo import ACCENTED

_PSEUDO = re.compile(f"[{ACCENTED}]")


def list_translated() -> list[str]:
    """All of them, as they stand in the database, whatever the model makes of them."""
    found = []
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.CharField | models.TextField | models.JSONField):
                as_it_stands = Cast(field.attname, models.TextField())
                texts = model._default_manager.values_list(as_it_stands, flat=True)
                found += [f"{model.__name__}.{field.name}: {text}" for text in texts if _PSEUDO.search(text or "")]
    return found
