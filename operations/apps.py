from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class OperationsConfig(AppConfig):
    name = "operations"
    verbose_name = "Operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have each app fill the tables, as its modules are loaded: kinds, operations and their forms, sealed rows."""
        autodiscover_modules("kinds")
        autodiscover_modules("operations", "forms")
        autodiscover_modules("sealed")
