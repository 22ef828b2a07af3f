from django.apps import AppConfig


class GwmConfig(AppConfig):
    name = "gwm"
    verbose_name = "Ganeti Web Manager"
    default_auto_field = "django.db.models.BigAutoField"
