"""The CD images of a cluster, one a line."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clusters.operations.images import CdImage, read_images
from operations.forms import OperationForm, asks_for


@asks_for("cluster.cd-images")
class CdImagesForm(OperationForm):
    """As text: that can be copied from one cluster to another."""

    images = forms.CharField(
        label=_("Images"),
        required=False,
        strip=True,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        help_text=_("One a line: Debian 12 = /srv/iso/debian-12.iso. The file must be there on every node."),
    )

    def fit(self) -> None:
        """Begin with those that are listed."""
        self.fields["images"].initial = "\n".join(map(line_of_image, read_images(self.target)))

    def clean_images(self) -> tuple[CdImage, ...]:
        """A name and a path of each line."""
        found = []
        for line in str(self.cleaned_data["images"]).splitlines():
            name, sign, path = line.partition("=")
            if line.strip() and not sign:
                raise forms.ValidationError(_("“%(line)s” has no = between name and path."), params={"line": line})
            if line.strip():
                found.append(CdImage(name.strip(), path.strip()))
        return tuple(found)


def line_of_image(image: CdImage) -> str:
    """As it is typed."""
    return f"{image.name} = {image.path}"
