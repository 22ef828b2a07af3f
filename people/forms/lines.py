"""A field for what people call themselves, or something of theirs."""

from typing import Any

from django import forms

from rapi.text import clean_text


class LineField(forms.CharField):
    """A line of text, without what turns the direction of the text around it: a name could look like another."""

    def to_python(self, value: Any) -> str:
        """Cleaned as the names that clusters tell."""
        text = str(super().to_python(value))
        return clean_text(text, len(text))
