"""Which tags, of a cluster or of anything in it."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from ui.fields import PLAIN


class TagsField(forms.CharField):
    """Several tags, apart by spaces or commas; a list, where a program says them."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Tags"),
            max_length=2000,
            help_text=gettext_lazy("Several, separated by spaces."),
            widget=forms.TextInput(attrs=PLAIN),
            error_messages={"required": gettext_lazy("Type a tag.")},
        )

    def to_python(self, value: Any) -> Any:
        """As text."""
        return super().to_python(" ".join(map(str, value)) if isinstance(value, list | tuple) else value)

    def clean(self, value: Any) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys(re.split(r"[\s,]+", super().clean(value).strip())))


@asks_for("cluster.add-tags")
@asks_for("cluster.remove-tags")
class TagsForm(OperationForm):
    """Which ones."""

    tags = TagsField()
