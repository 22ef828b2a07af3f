"""Secrets at rest: a text field whose column holds an encrypted token and whose attribute is the plain text.

The key is not Django's SECRET_KEY: sessions and the vault are rotated on their own. ``settings.GWM_FIELD_KEYS`` is a
list; the first key encrypts, every one decrypts (``manage.py rotate_field_keys`` re-encrypts with the first).
A row is decrypted when its attribute is read, not when it is loaded: lists of clusters cost nothing, and a lost key
breaks just the operation that needs the password.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

from sealing.box import Box, NotOurs, box_for

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField

_PREFIX = "sealed1:"
_PURPOSE = "ganeti-web-manager field key 1"
_ALLOWED_LOOKUPS = {"isnull"}


class SecretUnreadable(Exception):
    """A stored secret was encrypted with a key that is not (or no longer) in GWM_FIELD_KEYS."""


class Sealed:
    """An encrypted value as it stands in the database; neither its text nor its repr reveals anything."""

    __slots__ = ("_where", "token")

    def __init__(self, token: str, where: str) -> None:
        self.token = token
        self._where = where

    def __repr__(self) -> str:
        return "<sealed>"

    def __bool__(self) -> bool:
        return bool(self.token)

    def reveal(self) -> str:
        """Return the plain text; raise SecretUnreadable when no key of GWM_FIELD_KEYS fits."""
        if not self.token:
            return ""
        if not self.token.startswith(_PREFIX):
            raise SecretUnreadable(f"The stored {self._where} is not an encrypted value. Enter it again.")
        try:
            return _vault().open(self.token.removeprefix(_PREFIX)).decode("utf-8")
        except NotOurs:
            raise SecretUnreadable(
                f"The stored {self._where} was encrypted with another key. "
                "Put the former key back into GWM_FIELD_KEYS (after a comma), or enter the secret again."
            ) from None

    def rotate(self) -> Sealed:
        """Return the same secret, encrypted with the first key."""
        return Sealed(seal(self.reveal()), self._where)


def seal(plain: str) -> str:
    """Encrypt with the first key of GWM_FIELD_KEYS; the empty string stays empty."""
    return _PREFIX + _vault().seal(plain.encode("utf-8")) if plain else ""


def is_sealed_with_first_key(token: str) -> bool:
    """Say whether a token of the database was made with the first key."""
    return _vault().is_current(token.removeprefix(_PREFIX))


def _vault() -> Box:
    keys: Sequence[str] = settings.GWM_FIELD_KEYS
    if not keys:
        raise ImproperlyConfigured(
            "GWM_FIELD_KEYS is not set: the key that encrypts RAPI passwords. `manage.py up` generates it at the "
            "first start into <data>/secrets.env; set GWM_DATA_DIR to that directory or GWM_FIELD_KEYS to the key."
        )
    return box_for(tuple(keys), _PURPOSE)


class _PlainTextAttribute:
    """Reads decrypt; the instance keeps the token until somebody assigns a new text."""

    def __init__(self, field: EncryptedTextField) -> None:
        self.field = field

    @overload
    def __get__(self, instance: None, owner: type[models.Model]) -> _PlainTextAttribute: ...
    @overload
    def __get__(self, instance: models.Model, owner: type[models.Model]) -> str: ...
    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> str | _PlainTextAttribute:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])  # deferred
        value = instance.__dict__[name]
        return value.reveal() if isinstance(value, Sealed) else value

    def __set__(self, instance: models.Model, value: str | Sealed | None) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(_TextField):
    """Text that is encrypted in the database. Can be blank; cannot be searched or sorted by."""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _PlainTextAttribute(self))

    def from_db_value(
        self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Sealed | None:
        """Wrap the token; nothing is decrypted before the attribute is read."""
        return None if value is None else Sealed(value, self._describe())

    def to_python(self, value: Any) -> Any:
        """Accept a plain text, or a token as `dumpdata` writes it."""
        if isinstance(value, str) and value.startswith(_PREFIX):
            return Sealed(value, self._describe())
        return value if isinstance(value, Sealed) else super().to_python(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Hand over the token itself when the secret was not changed: saving a row needs no key."""
        return model_instance.__dict__.get(self.attname, "")

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt, unless it is a token already."""
        if isinstance(value, Sealed):
            return value.token
        return value if value is None else seal(str(value))

    def value_from_object(self, obj: models.Model) -> Any:
        """Give forms nothing to prefill: a secret never travels back to a browser."""
        return ""

    def value_to_string(self, obj: models.Model) -> str:
        """Dump the token, never the plain text."""
        return str(self.get_prep_value(obj.__dict__.get(self.attname, "")) or "")

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull` makes sense: equal texts have different tokens."""
        if lookup_name not in _ALLOWED_LOOKUPS:
            raise FieldError(f"{self._describe()} is encrypted and cannot be searched ({lookup_name}).")
        return super().get_lookup(lookup_name)

    def _describe(self) -> str:
        label = self.model._meta.verbose_name if hasattr(self, "model") else "secret"
        return f"{label} {self.verbose_name or self.name}"
