"""The table of operations. Each app puts its own in when it is loaded (see `operations.apps`)."""

from typing import Any

OPERATIONS: dict[str, Any] = {}


def register(*operations: Any) -> None:
    """Put operations into the table. ValueError if there is one of that name already."""
    for operation in operations:
        if operation.name in OPERATIONS:
            raise ValueError(f"There are two operations called {operation.name}.")
        OPERATIONS[operation.name] = operation
