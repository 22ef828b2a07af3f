from django.apps import AppConfig

import gwm.celery  # noqa: F401 - makes it the app that shared tasks belong to


class GwmConfig(AppConfig):
    name = "gwm"
    verbose_name = "Ganeti Web Manager"
    default_auto_field = "django.db.models.BigAutoField"
