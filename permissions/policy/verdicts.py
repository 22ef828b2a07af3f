"""Yes and no, with reasons; and what is done to the site as a whole."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class SiteVerb:
    """Something that is not done to an object that exists: superusers may, staff where it says so, and whoever has by a
    role on everything what is `held_on` a kind of object (kind and right). `says` what it allows, in words.
    """

    says: str | Promise
    refusal: str | Promise
    for_staff: bool = False
    held_on: tuple[str, str] | None = None


SITE_VERBS = {
    "add_cluster": SiteVerb(_("Add clusters"), _("Only administrators may add clusters.")),
    # Where the product connects, and where it sends passwords, is as far-reaching as adding a cluster.
    "point_cluster": SiteVerb(
        _("Change the address of a cluster and whom to trust there"),
        _("Only administrators may change the address of a cluster and whom to trust there."),
    ),
    "see_health": SiteVerb(
        _("See how the service is doing"), _("Only administrators may see how the service is doing.")
    ),
    "see_styleguide": SiteVerb(_("See the style guide"), _("Only staff may see the style guide."), for_staff=True),
    "see_journal_of_all": SiteVerb(
        _("See everybody's journal"),
        _("Only administrators and auditors of everything may see everybody's journal."),
        held_on=("cluster", "audit"),
    ),
    "see_batches_of_all": SiteVerb(_("See everybody's batches"), _("Only administrators may see everybody's batches.")),
    "see_people": SiteVerb(
        _("See accounts"),
        _("Only administrators and auditors of everything may see accounts."),
        held_on=("cluster", "audit"),
    ),
    "change_people": SiteVerb(_("Change accounts"), _("Only administrators may change accounts.")),
    "change_teams": SiteVerb(_("Create and delete teams"), _("Only administrators may create and delete teams.")),
    "exceed_quotas": SiteVerb(_("Exceed quotas"), _("Only administrators may exceed a quota.")),
    "change_roles": SiteVerb(_("Change what a role holds"), _("Only administrators may change what a role holds.")),
    "grant_everywhere": SiteVerb(
        _("Grant a role on everything"), _("Only administrators may grant a role on everything.")
    ),
    "view_as_anybody": SiteVerb(_("View pages as others"), _("Only administrators may view pages as others.")),
    "act_as_anybody": SiteVerb(_("Act for others"), _("Only administrators may act for others.")),
}
OTHER_SITE_VERB = SiteVerb("", _("Only administrators may do this."))


@dataclass(frozen=True)
class Allowed:
    """Yes."""

    reason: str = ""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True)
class Denied:
    """No, and why, in a sentence for the person who asked."""

    reason: str

    def __bool__(self) -> bool:
        return False


Verdict = Allowed | Denied
