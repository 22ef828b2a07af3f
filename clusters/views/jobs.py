"""Jobs: the list, one job with its live log and its status for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clusters.columns import JOB_TABLE
from clusters.filters import JOBS
from clusters.operations import JOB_OPERATIONS
from clusters.selectors import (
    JOB_GROUPS,
    get_cluster,
    get_job,
    list_holders,
    list_job_rows,
    list_job_targets,
)
from clusters.views.buttons import button_of
from clusters.views.frame import cluster_page
from clusters.views.stored import moment_of
from operations.again import again_url
from operations.offers import list_offers
from permissions.journal import list_visible_events
from permissions.kinds import name_of_kind, places_of
from permissions.policy import verbs_on
from permissions.selectors import choice_of
from permissions.signed_in import person_of
from ui.filtering import Wanted
from ui.tables import show

if TYPE_CHECKING:
    from permissions.models import User

_MOST_EVENTS = 100


def answer_with_jobs(
    request: HttpRequest, jobs: QuerySet[Any], template: str, context: Mapping[str, Any], without: tuple[str, ...] = ()
) -> HttpResponseBase:
    """A page of `jobs`, or a file of all that match; for every page that lists some."""
    shown = show(request, JOB_TABLE, choice_of(person_of(request), JOB_TABLE.name), without)
    wanted = Wanted.parse(JOBS, request.GET)
    rows = shown.load(jobs.filter(wanted.asked.condition))
    file = shown.export(request, rows)
    if file is not None:
        return file
    counts = (
        jobs.filter(wanted.without("status").asked.condition)
        .order_by()
        .aggregate(
            all=Count("*"), **{name: Count("pk", filter=condition) for name, (__, condition) in JOB_GROUPS.items()}
        )
    )
    states = wanted.values_of("status")
    total = counts.get(states[0]) if len(states) == 1 else None if states else counts["all"]
    # whether a job also touches what the person may not see is a question for each row
    listing = shown.page(request, rows, total, keys_first=True)
    groups = [("", _("All"), counts["all"]), *((name, each[0], counts[name]) for name, each in JOB_GROUPS.items())]
    drawn = {
        **shown.as_context(listing, wanted, groups=groups, always=JOB_GROUPS),
        "nothing_matches": wanted.explain(_("None of the jobs you may see matches. Leave out a word, or look at all.")),
    }
    return render(request, template, {**context, **drawn})


@require_safe
def job_list(request: HttpRequest) -> HttpResponseBase:
    """The jobs of all clusters."""
    jobs = list_job_rows(person_of(request))
    return answer_with_jobs(request, jobs, "clusters/jobs.html", {})


@require_safe
def cluster_jobs(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The jobs of one cluster."""
    user = person_of(request)
    cluster = get_cluster(user, slug)
    jobs = list_job_rows(user).filter(cluster=cluster)
    return answer_with_jobs(
        request, jobs, "clusters/cluster_jobs.html", cluster_page(user, cluster, "jobs"), ("cluster",)
    )


def log_lines(job: Any) -> list[dict[str, Any]]:
    """The job's log as templates/parts/_log.html draws it."""
    return [
        {"serial": line[0], "time": moment_of(line[1]), "step": line[2], "text": line[3], "kind": ""}
        for line in job.log
        if isinstance(line, list) and len(line) >= 4
    ]


def again_url_of(user: User, job: Any) -> str:
    """Where `user` asks once more for what a job that failed was to do; empty: nowhere."""
    entry = job.entry
    if entry is None or not job.is_final or entry.actor_id != user.pk:
        return ""
    about = (entry.target_kind, entry.target_pk)
    return again_url(user, entry, places_of(user, [about]).get(about))


def _job_context(request: HttpRequest, slug: str, number: int) -> dict[str, Any]:
    user = person_of(request)
    job = get_job(user, slug, number)
    offers = list_offers(job, JOB_OPERATIONS, verbs_on(user, job))
    held = list_holders(user, job)
    waiting = [
        {
            "lock": lock.get("lock", ""),
            "mode": lock.get("mode", ""),
            "holders": [(holder, held.get(holder)) for holder in lock.get("holders", [])],
        }
        for lock in job.waiting_for
    ]
    return {
        "job": job,
        "again_url": again_url_of(user, job),
        "lines": log_lines(job),
        "waiting": waiting if not job.is_final else [],
        "buttons": [
            button_of(offer, reverse("job-do", args=[slug, number, offer.operation.verb]))
            for offer in offers
            if offer.is_usable or (offer.operation.verb == "cancel" and not job.is_final)
        ],
    }


@require_safe
def job_detail(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One job with all its operations."""
    context = _job_context(request, slug, number)
    job = context["job"]
    steps = []
    for position, opcode in enumerate(job.opcodes):
        given = opcode if isinstance(opcode, dict) else {}
        steps.append(
            {
                "summary": job.summary[position] if position < len(job.summary) else given.get("OP_ID", ""),
                "status": job.opcode_statuses[position] if position < len(job.opcode_statuses) else job.status,
                "name": given.get("OP_ID", ""),
                "result": job.results[position] if position < len(job.results) else None,
                "params": sorted((key, value) for key, value in given.items() if key != "OP_ID"),
            }
        )
    user = person_of(request)
    further = {"steps": steps, "targets": _list_targets(user, job), "events": _list_events(user, job)}
    return render(request, "clusters/job.html", {**context, **further})


def _list_events(user: User, job: Any) -> list[Any]:
    """What the journal tells of the job: each step of the operation that sent it, and what was done to it itself."""
    about: Q = Q(target_kind="job", target_pk=job.pk)
    if job.entry is not None:
        about |= Q(entry_uuid=job.entry.uuid)
    return list(list_visible_events(user).filter(about).order_by("at", "pk")[:_MOST_EVENTS])


def _list_targets(user: User, job: Any) -> list[Any]:
    """What the job works on, each with the place of its page if the person may see that."""
    targets: list[Any] = list_job_targets(user, job)
    for target in targets:
        target.kind_here = name_of_kind(target.kind)
    places = places_of(user, [(target.kind_here, target.target_pk) for target in targets])
    for target in targets:
        target.place = places.get((target.kind_here, target.target_pk))
    return targets


@require_safe
def job_status(request: HttpRequest, slug: str, number: int) -> JsonResponse:
    """A job for scripts; `since` leaves out log lines up to that serial."""
    job = get_job(person_of(request), slug, number)
    since = request.GET.get("since", "")
    after = int(since) if since.isdecimal() and len(since) < 12 else 0
    times = {"received_at": job.received_at, "started_at": job.started_at, "ended_at": job.ended_at}
    return JsonResponse(
        {
            "id": job.ganeti_id,
            "cluster": job.cluster.slug,
            "status": job.status,
            "is_final": job.is_final,
            "title": job.title,
            "summary": job.summary,
            "error": job.error,
            "results": job.results,
            "waiting_for": job.waiting_for,
            "log": [line for line in job.log if line and line[0] > after],
            **{name: when.isoformat() if when is not None else None for name, when in times.items()},
        }
    )
