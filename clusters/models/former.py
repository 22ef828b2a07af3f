"""What things were called before: so that jobs find the row they meant, and old links still lead there."""

from django.db import models

from clusters.models.cluster import Cluster


class FormerName(models.Model):
    """A name that a machine, node, group or network had until it was renamed."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, help_text="instance, node, group or network")
    target_pk = models.BigIntegerField(help_text="key of the row in the table of its kind")
    name = models.CharField(max_length=255)
    seen_at = models.DateTimeField(help_text="it surely had this name then")
    until = models.DateTimeField(help_text="it was seen under another name then")

    class Meta:
        indexes = [
            models.Index(fields=["cluster", "kind", "name"], name="formername_name"),
            models.Index(fields=["kind", "target_pk"], name="formername_row"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} until {self.until:%Y-%m-%d}"


class FormerSlug(models.Model):
    """A short name that a cluster had."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="former_slugs")
    slug = models.SlugField(max_length=100, db_index=True)
    until = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug
