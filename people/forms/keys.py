"""What one is asked about an SSH key."""

from django import forms
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from people.public_keys import KINDS, LONGEST, LONGEST_COMMENT


@asks_for("key.add")
class KeyForm(OperationForm):
    """The key as it stands in its file."""

    key = forms.CharField(
        label=gettext_lazy("Public key"),
        max_length=2 * LONGEST,
        help_text=gettext_lazy("The one line of ~/.ssh/id_ed25519.pub, or of another file that ends in .pub."),
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "class": "mono",
                "spellcheck": "false",
                "autocomplete": "off",
                "autocapitalize": "off",
                "placeholder": f"{KINDS[0]} AAAA… ",
            }
        ),
        error_messages={"required": gettext_lazy("Paste a public key.")},
    )


@asks_for("key.edit")
class CommentForm(OperationForm):
    """What it is called."""

    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        max_length=LONGEST_COMMENT,
        required=False,
        help_text=gettext_lazy("By what people know the key: a name, a computer."),
    )

    def fit(self) -> None:
        self.fields["comment"].initial = getattr(self.target, "comment", "")
