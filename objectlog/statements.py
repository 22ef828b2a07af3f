"""Statements that are made at each step of each operation: Django writes each of them once.

To write an UPDATE takes Django several times as long as a database takes to carry it out, and a batch of many items is
held up by it.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F, Model, Q
from django.db.models.sql import UpdateQuery

from ui.kept import Given


class Update:
    """An UPDATE of rows of one model. `given` names the fields whose new values are given each time, `where` those by
    whose values rows are found; `only` what else must hold of them, and `fixed` what is always written. To those that
    are `added` to, what is given (behind the others) is added.
    """

    def __init__(
        self,
        model: type[Model],
        *given: str,
        where: tuple[str, ...],
        added: tuple[str, ...] = (),
        only: Callable[[], Q] = Q,
        **fixed: Any,
    ) -> None:
        self._model, self._given, self._where, self._only, self._fixed = model, given, where, only, fixed
        self._added = added

    def run(self, *values: Any) -> int:
        """Carry it out with the new values, and those by which rows are found, in their order; how many rows."""
        statement, places = self._written
        given = dict(zip((*self._given, *self._added, *(f"={name}" for name in self._where)), values, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(statement, [_fill(place, given) for place in places])
            return int(cursor.rowcount)

    @cached_property
    def _written(self) -> tuple[str, list[Any]]:
        new: dict[str, Any] = {name: Given(name, self._field(name)) for name in self._given}
        found: dict[str, Any] = {name: Given(f"={name}", self._field(name)) for name in self._where}
        rows = self._model._base_manager.order_by().filter(self._only(), **found)
        query: Any = rows.query.chain(UpdateQuery)
        sums = {name: F(name) + Given(name, self._field(name)) for name in self._added}
        query.add_update_values({**new, **sums, **self._fixed})
        statement, places = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        return statement, list(places)

    def _field(self, name: str) -> Any:
        options = self._model._meta
        return options.pk if name == "pk" else options.get_field(name)


def _fill(place: Any, given: dict[str, Any]) -> Any:
    if not isinstance(place, Given):
        return place
    return place.output_field.get_db_prep_save(given[place.name], connection)
