"""Forms of the clusters app; loaded with it, so that operations find theirs."""

from clusters.forms.cluster import AddOperationForm, EditOperationForm
from clusters.forms.images import CdImagesForm
from clusters.forms.tags import TagsForm

__all__ = ["AddOperationForm", "CdImagesForm", "EditOperationForm", "TagsForm"]
