"""What is deleted along with somebody."""

from __future__ import annotations

from typing import Any


def cascade_whole(collector: Any, field: Any, sub_objs: Any, using: str) -> None:
    """As Django's CASCADE, for a reference that stands empty only if another does not: the row goes as it is.

    Where a database checks references at once (MariaDB), Django's empties this one before, which the table's own
    constraint refuses.
    """
    # As one that takes no NULL it is deleted before what it refers to, in every database.
    collector.collect(
        sub_objs, source=field.remote_field.model, source_attr=field.name, nullable=False, fail_on_restricted=False
    )
