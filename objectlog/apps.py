from django.apps import AppConfig


class ObjectLogConfig(AppConfig):
    name = "objectlog"
    verbose_name = "Journal"
    default_auto_field = "django.db.models.BigAutoField"
