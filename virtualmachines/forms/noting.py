"""The notes on a machine, as they are typed."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from virtualmachines.notes import LONGEST
from virtualmachines.operations.noting import version_of_notes


@asks_for("vm.notes")
class NotesForm(OperationForm):
    """What they say, and which version it was made of."""

    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=gettext_lazy("Markdown: **bold**, `code`, [words](https://address), - lists, # headings."),
    )
    opened = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())

    def fit(self) -> None:
        """As they are."""
        self.fields["notes"].initial = self.target.notes
        self.fields["opened"].initial = version_of_notes(self.target.notes)

    def clean_notes(self) -> str:
        """Browsers send lines apart by two characters."""
        return str(self.cleaned_data["notes"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        """Who meets notes that were changed is told so once; what they typed stays, and can be kept all the same."""
        now = version_of_notes(self.target.notes) if self.target is not None else ""
        opened = self.cleaned_data.get("opened")
        if opened and now and opened != now:
            words = _(
                "Somebody has changed the notes since you opened them. What you typed is below and not kept yet; "
                "“Show changes” says what it would replace."
            )
            self.add_error("notes", words)
            self.data = {**self.data.dict(), "opened": now} if hasattr(self.data, "dict") else self.data
        return self.cleaned_data
