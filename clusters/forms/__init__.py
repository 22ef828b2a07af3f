"""Forms of the clusters app; loaded with it, so that operations find theirs."""

from clusters.forms.cluster import AddOperationForm, EditOperationForm

__all__ = ["AddOperationForm", "EditOperationForm"]
