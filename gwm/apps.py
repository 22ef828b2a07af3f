from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _

import gwm.celery
import gwm.database_versions
import gwm.theming  # noqa: F401 - these two register checks
from gwm import journal_triggers
from gwm.databases import allow_long_statements
from gwm.live.triggers import make_triggers
from operations.triggers import add_triggers, install_triggers, remove_triggers
from ui.places import Part, add_list, add_parts


class GwmConfig(AppConfig):
    name = "gwm"
    verbose_name = "Ganeti Web Manager"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the triggers made anew around migrations, and say what connections take and where our pages are."""
        add_triggers(make_triggers)
        add_triggers(journal_triggers.make_triggers)
        pre_migrate.connect(_before_migrations, sender=self)
        post_migrate.connect(_after_migrations, sender=self)
        connection_created.connect(_after_connecting)
        add_list("cluster", "clusters", _("Clusters"))
        add_parts(
            "cluster",
            Part("overview", _("Overview"), "cluster", 10),
            Part("journal", _("Journal"), "cluster-journal", 60),
        )
        add_parts(
            "node", Part("overview", _("Overview"), "node", 10), Part("journal", _("Journal"), "node-journal", 60)
        )
        add_parts("vm", Part("journal", _("Journal"), "vm-journal", 50))
        add_parts("person", Part("journal", _("Journal"), "person-journal", 50))
        add_parts("team", Part("journal", _("Journal"), "team-journal", 60))
        add_parts("template", Part("journal", _("Journal"), "template-journal", 50))


def _before_migrations(using: str, **_kwargs: Any) -> None:
    remove_triggers(connections[using])


def _after_migrations(using: str, **_kwargs: Any) -> None:
    install_triggers(connections[using])


def _after_connecting(connection: Any, **_kwargs: Any) -> None:
    allow_long_statements(connection)
