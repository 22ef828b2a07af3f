from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

import gwm.celery  # noqa: F401 - makes it the app that shared tasks belong to
from gwm.live.triggers import install_triggers, remove_triggers


class GwmConfig(AppConfig):
    name = "gwm"
    verbose_name = "Ganeti Web Manager"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the triggers that write down what changes made anew around migrations."""
        pre_migrate.connect(_before_migrations, sender=self)
        post_migrate.connect(_after_migrations, sender=self)


def _before_migrations(using: str, **_: Any) -> None:
    remove_triggers(connections[using])


def _after_migrations(using: str, **_: Any) -> None:
    install_triggers(connections[using])
