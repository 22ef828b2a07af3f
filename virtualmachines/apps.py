from django.apps import AppConfig


class VirtualMachinesConfig(AppConfig):
    name = "virtualmachines"
    verbose_name = "Virtual machines"
    default_auto_field = "django.db.models.BigAutoField"
