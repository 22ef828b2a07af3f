from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from ui.places import Part, add_list, add_parts


class ClustersConfig(AppConfig):
    name = "clusters"
    verbose_name = "Clusters"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say where the pages of this app are."""
        add_parts(
            "cluster",
            Part("nodes", _("Nodes"), "cluster-nodes", 30),
            Part("jobs", _("Jobs"), "cluster-jobs", 40),
            Part("parameters", _("Parameters"), "cluster-parameters", 50),
        )
        add_parts("job", Part("overview", _("Job"), "job", 10))
        add_list("job", "jobs", _("Jobs"))
        add_list("node", "nodes", _("Nodes"))
        add_parts("node", Part("jobs", _("Jobs"), "node-jobs", 40))
