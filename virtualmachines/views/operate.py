"""Doing something to a machine."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from operations.views.operate import OperateView
from permissions.signed_in import person_of
from virtualmachines.selectors import get_vm


class OperateVM(OperateView):
    """What can be done to a machine and asks first; the console has a page of its own."""

    kind = "vm"

    def find_target(self, request: HttpRequest, **where: Any) -> Any:
        return get_vm(person_of(request), where["slug"], where["name"])

    def url_of(self, target: Any) -> str:
        return reverse("vm", args=[target.cluster.slug, target.address])

    def url_after(self, operation: Any, target: Any) -> str:
        return reverse("vms") if operation.verb == "forget" else self.url_of(target)

    def crumbs_of(self, target: Any) -> list[tuple[str, str]]:
        return [(_("Virtual machines"), reverse("vms")), (target.name, self.url_of(target))]
