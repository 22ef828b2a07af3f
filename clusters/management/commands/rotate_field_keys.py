"""`manage.py rotate_field_keys`: encrypt every stored secret with the first key of GWM_FIELD_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from sealing.fields import EncryptedTextField, Sealed, SecretUnreadable, is_sealed_with_first_key
from sealing.rotation import PLACES, Place


class Command(BaseCommand):
    """Re-encrypt in place; rows that already carry the first key are not written."""

    help = (
        "Encrypt every stored secret with the first key of GWM_FIELD_KEYS. To rotate: put a new key before the old "
        "one (comma), restart, run this, take the old key away, restart."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate all rows of all models, then say how many; fail when one could not be read."""
        rotated = kept = 0
        unreadable: list[str] = []
        for place in (*list_fields(), *PLACES):
            for key in place.list_keys():
                try:
                    changed = place.rotate(key)
                except SecretUnreadable as error:
                    unreadable.append(f"{place.label} {key}: {error}")
                else:
                    rotated, kept = rotated + changed, kept + (not changed)
        self.stdout.write(f"{rotated} encrypted anew, {kept} already up to date, {len(unreadable)} unreadable.")
        if unreadable:
            raise CommandError("\n".join(unreadable))


def list_fields() -> Iterator[Place]:
    """The encrypted fields of all models."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                keys = model._default_manager.values_list("pk", flat=True)
                yield Place(model._meta.label, keys.all, partial(rotate_row, model, field))


def rotate_row(model: type[models.Model], field: EncryptedTextField, pk: Any) -> bool:
    """Encrypt one row's secret with the first key; False when there was nothing to do."""
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=pk).only("pk", field.attname).first()
        value = row.__dict__[field.attname] if row else None
        if row is None or not isinstance(value, Sealed) or not value:
            return False
        if is_sealed_with_first_key(value.token):
            return False
        setattr(row, field.attname, value.rotate())
        row.save(update_fields=[field.attname])
        return True
