"""Rights on clusters: guardian's direct tables, so that a grant goes with its cluster."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from clusters.models.cluster import Cluster
from permissions.models import Granted


class ClusterUserGrant(Granted, UserObjectPermissionBase):
    """One verb on one cluster for one person."""

    content_object = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="user_grants")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class ClusterGroupGrant(Granted, GroupObjectPermissionBase):
    """One verb on one cluster for one group."""

    content_object = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="group_grants")

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
