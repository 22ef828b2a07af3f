"""The table of operations, by key, with the form that asks for the parameters of each.

Each app puts its own in as it is loaded (see `operations.apps`), so that no lower room has to name an upper one.
"""

from typing import TYPE_CHECKING, TypeVar

from operations.contract import AnyOperation

if TYPE_CHECKING:
    from operations.forms import OperationForm

OPERATIONS: dict[str, AnyOperation] = {}
FORMS: dict[str, "type[OperationForm]"] = {}
# Where many targets are asked for something else than one.
FORMS_FOR_MANY: dict[str, "type[OperationForm]"] = {}
F = TypeVar("F", bound="type[OperationForm]")


def register(*operations: AnyOperation) -> None:
    """Put operations into the table. ValueError if there is one with that key already."""
    for operation in operations:
        if operation.key in OPERATIONS:
            raise ValueError(f"There are two operations called {operation.key}.")
        OPERATIONS[operation.key] = operation


def list_operations(kind: str) -> tuple[AnyOperation, ...]:
    """What can be done to one kind of thing, in the order in which it was put in."""
    return tuple(operation for operation in OPERATIONS.values() if operation.kind == kind)
