"""The groups in which the menu of an object shows what can be done to it, so that many operations stay easy to find."""

from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Group(Enum):
    """In the order of the menu. The value is its heading."""

    POWER = _("Power")
    SETTINGS = _("Settings")
    DISKS = _("Disks")
    MOVE = _("Move")
    DANGER = _("Danger")

    @property
    def label(self) -> str | Promise:
        """Its heading."""
        return self.value
