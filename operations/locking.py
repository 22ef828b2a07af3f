"""Locking rows until a transaction ends, as narrowly as the database can: MySQL and MariaDB know less than PostgreSQL.

SQLite has one writer at a time, and locks no rows.
"""

from typing import TypeVar

from django.db import connections
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def lock_rows(rows: QuerySet[M], *, keeps_keys: bool = False, alone: bool = False) -> QuerySet[M]:
    """`rows`, locked as they are read.

    `keeps_keys`: others may refer to them meanwhile. `alone`: what is read with them is not locked, too.
    """
    features = connections[rows.db].features
    return rows.select_for_update(
        no_key=keeps_keys and features.has_select_for_no_key_update,
        of=("self",) if alone and features.has_select_for_update_of else (),
    )
