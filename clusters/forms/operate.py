"""From what a person, a script or the API says to an operation's parameters."""

from typing import Any

from django import forms

from clusters.operations.base import AnyOperation


class OperationForm(forms.Form):
    """Base of all operations' forms; without fields, for operations without parameters."""

    def fit(self, target: Any) -> None:
        """Narrow choices to what makes sense for this target."""

    def params(self, operation: AnyOperation) -> Any:
        """The operation's parameters, from a form that is valid."""
        return operation.params_type(**self.cleaned_data)
