from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from ui.places import Part, add_list, add_parts


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say where the pages of accounts and teams are, put the tabs of rights in, and say where keys are listed."""
        add_parts(
            "person",
            Part("overview", _("Overview"), "person", 10),
            Part("usage", _("Usage"), "person-usage", 15),
            Part("rights", _("Rights"), "person-rights", 20),
        )
        add_list("person", "people", _("People"))
        add_list("team", "teams", _("Teams"))
        add_parts(
            "team",
            Part("members", _("Members"), "team", 10),
            Part("vms", _("Machines"), "team-vms", 20),
            Part("usage", _("Usage"), "team-usage", 30, needs=("act", "audit")),
            Part("keys", _("SSH keys"), "team-keys", 40, needs=("audit",)),
            Part("rights", _("Rights"), "team-rights", 70, needs=("audit",)),
        )
        add_parts(
            "cluster",
            Part("rights", _("Rights"), "cluster-rights", 70, needs=("audit",)),
            Part("quotas", _("Quotas"), "cluster-quotas", 80, needs=("audit",)),
        )
        add_parts("template", Part("rights", _("Rights"), "template-rights", 70, needs=("audit",)))
        add_parts("vm", Part("rights", _("Rights"), "vm-rights", 70, needs=("audit",)))
        add_list("role", "site-rights", _("Roles"))
        add_list("name", "names", _("Names"))
        add_list("key", "own-keys", _("SSH keys"))
        add_list("token", "own-tokens", _("Tokens"))
        add_parts("request", Part("overview", _("Overview"), "request", 10))
        add_list("request", "requests", _("Requests"))
