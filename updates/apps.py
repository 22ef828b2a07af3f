from django.apps import AppConfig


class UpdatesConfig(AppConfig):
    name = "updates"
    verbose_name = "Updates"
    default_auto_field = "django.db.models.BigAutoField"
