"""Addresses of clusters, nodes and jobs."""

from django.urls import path

from clusters.views import adding, editing, jobs, nodes
from operations.views.operate import OperateView

_CLUSTER = "clusters/<slug:slug>/"
_JOB = f"{_CLUSTER}jobs/<int:number>/"
_NODE = f"{_CLUSTER}nodes/<str:name>/"

urlpatterns = [
    path("clusters/add/", adding.AddCluster.as_view(), name="cluster-add"),
    path(f"{_CLUSTER}edit/", editing.ClusterEdit.as_view(), name="cluster-edit"),
    path(f"{_CLUSTER}parameters/", editing.cluster_parameters, name="cluster-parameters"),
    path(f"{_CLUSTER}do/<slug:verb>/", OperateView.as_view(kind="cluster"), name="cluster-do"),
    path("nodes/", nodes.node_list, name="nodes"),
    path("jobs/", jobs.job_list, name="jobs"),
    path(f"{_CLUSTER}nodes/", nodes.cluster_nodes, name="cluster-nodes"),
    path(f"{_CLUSTER}jobs/", jobs.cluster_jobs, name="cluster-jobs"),
    path(f"{_NODE}do/<slug:verb>/", OperateView.as_view(kind="node"), name="node-do"),
    path(f"{_NODE}jobs/", nodes.node_jobs, name="node-jobs"),
    path(_JOB, jobs.job_detail, name="job"),
    path(f"{_JOB}status.json", jobs.job_status, name="job-status"),
    path(f"{_JOB}do/<slug:verb>/", OperateView.as_view(kind="job"), name="job-do"),
]
