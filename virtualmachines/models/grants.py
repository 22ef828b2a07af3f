"""Rights on machines: guardian's direct tables, so that a grant goes with its machine."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from permissions.models import Granted
from virtualmachines.models.vm import VirtualMachine


class VMUserGrant(Granted, UserObjectPermissionBase):
    """One verb on one machine for one person."""

    content_object = models.ForeignKey(VirtualMachine, on_delete=models.CASCADE, related_name="user_grants")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class VMGroupGrant(Granted, GroupObjectPermissionBase):
    """One verb on one machine for one group."""

    content_object = models.ForeignKey(VirtualMachine, on_delete=models.CASCADE, related_name="group_grants")

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
