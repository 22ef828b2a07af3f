"""Addresses of machines and templates."""

from django.urls import path

from operations.views.operate import OperateView
from virtualmachines.views import batch, console, creating, detail, edit, lists, pictures, reconciling, templates

_VM = "clusters/<slug:slug>/vms/<str:name>/"
_TEMPLATE = "templates/<slug:slug>/<str:name>/"
_NODE = "clusters/<slug:slug>/nodes/<str:name>/"

urlpatterns = [
    path("vms/", lists.vm_list, name="vms"),
    path("vms/create/", creating.CreateMachine.as_view(), name="vms-create"),
    path("vms/create/live/", creating.create_live, name="vms-create-live"),
    path("vms/batch/", batch.vms_batch, name="vms-batch"),
    path("reconciliation/", reconciling.reconciliation, name="reconciliation"),
    path("reconciliation/batch/", reconciling.reconciliation_batch, name="reconciliation-batch"),
    path("clusters/<slug:slug>/reconciliation/", reconciling.cluster_reconciliation, name="cluster-reconciliation"),
    path("templates/", templates.template_list, name="templates"),
    path("templates/create/", templates.template_create, name="template-create"),
    path(_TEMPLATE, templates.template_overview, name="template"),
    path(f"{_TEMPLATE}edit/", templates.template_edit, name="template-edit"),
    path(f"{_TEMPLATE}do/<slug:verb>/", OperateView.as_view(kind="template"), name="template-do"),
    path("clusters/<slug:slug>/vms/", lists.cluster_vms, name="cluster-vms"),
    path(f"{_NODE}primary/", lists.node_primary, name="node-primary"),
    path(f"{_NODE}secondary/", lists.node_secondary, name="node-secondary"),
    path(_VM, detail.vm_overview, name="vm"),
    path(f"{_VM}actions/", detail.vm_actions, name="vm-actions"),
    path(f"{_VM}parameters/", detail.vm_parameters, name="vm-parameters"),
    path(f"{_VM}jobs/", detail.vm_jobs, name="vm-jobs"),
    path(f"{_VM}edit/", edit.vm_edit, name="vm-modify"),
    path(f"{_VM}edit/confirm/", edit.vm_edit_confirm, name="vm-modify-confirm"),
    path(f"{_VM}console/", console.vm_console, name="vm-console"),
    path(f"{_VM}console/window/", console.vm_console_popout, name="vm-console-popout"),
    path(f"{_VM}console/ticket/", console.vm_console_ticket, name="vm-console-ticket"),
    path(f"{_VM}console/picture/", pictures.vm_console_picture, name="vm-console-picture"),
    path(f"{_VM}do/<slug:verb>/", OperateView.as_view(kind="vm"), name="vm-do"),
]
