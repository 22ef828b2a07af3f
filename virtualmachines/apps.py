from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from operations.triggers import add_triggers
from ui.places import OwnPage, Part, add_list, add_own_page, add_parts
from virtualmachines import count_triggers, owner_triggers, search


class VirtualMachinesConfig(AppConfig):
    name = "virtualmachines"
    verbose_name = "Virtual machines"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say how machines are counted and searched and whose they are, and where the pages of this app are."""
        add_triggers(count_triggers.make_triggers)
        add_triggers(search.make_triggers)
        add_triggers(owner_triggers.make_triggers)
        add_parts(
            "vm",
            Part("overview", _("Overview"), "vm", 10),
            Part("parameters", _("Parameters"), "vm-parameters", 20),
            Part("console", _("Console"), "vm-console", 30),
            Part("jobs", _("Jobs"), "vm-jobs", 40),
        )
        add_list("vm", "vms", _("Virtual machines"))
        add_own_page("vm.modify", OwnPage("vm-modify"))
        add_own_page("vm.create", OwnPage("vms-create", "check", is_of_target=False))
        add_parts("template", Part("overview", _("Overview"), "template", 10))
        add_list("template", "templates", _("Templates"))
        add_parts(
            "cluster",
            Part("vms", _("Machines"), "cluster-vms", 20),
            Part("reconciliation", _("Reconciliation"), "cluster-reconciliation", 65, needs=("admin",)),
        )
        add_parts(
            "node",
            Part("primary", _("Primary machines"), "node-primary", 20),
            Part("secondary", _("Secondary machines"), "node-secondary", 30),
        )
