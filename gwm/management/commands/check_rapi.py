"""`manage.py check_rapi NAME`: what a cluster's RAPI answers, and what to do about what it does not."""

from argparse import ArgumentParser
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from clusters.connection import client_for, trust_of
from clusters.models import Cluster, TlsTrust
from clusters.remedies import remedy_for
from clusters.sync.readings import Readings
from rapi.client import RapiClient
from rapi.errors import RapiError
from rapi.shapes.reading import Records
from rapi.trust import Trust, probe_certificate
from sealing.fields import SecretUnreadable


class Command(BaseCommand):
    help = (
        "Asks a cluster's RAPI for everything that an update and operations need, and says what to do where it fails."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="short name of the cluster")

    def handle(self, *args: Any, **options: Any) -> None:
        cluster = Cluster.objects.filter(slug=options["name"]).first()
        if cluster is None:
            raise CommandError(f"There is no cluster {options['name']}.")
        self.failed = False
        self.stdout.write(f"{cluster.slug}: https://{cluster.host}:{cluster.port}")
        try:
            self._try("certificate", lambda: _describe_certificate(cluster))
            with client_for(cluster) as client:
                if self._try("cluster", lambda: _describe_cluster(client)):
                    self._try("rights", lambda: _describe_rights(client, cluster))
                    self._try_readings(Readings(client), client)
        except (SecretUnreadable, ValueError) as error:
            self._say("settings", str(error), is_failure=True)
        if self.failed:
            raise CommandError("Not everything answers.", returncode=1)
        self.stdout.write("Everything answers.")

    def _try_readings(self, readings: Readings, client: RapiClient) -> None:
        """The very queries of an update, each with what can't be read of its answer."""
        reads: dict[str, Callable[[], Records[Any]]] = {
            "group": readings.read_groups,
            "node": readings.read_nodes,
            "network": readings.read_networks,
            "instance": readings.read_fingerprints,
            "config": readings.read_configs,
            "job": lambda: readings.read_jobs(newer_than=0),
            "state": readings.read_machine_live,
            "figures": readings.read_node_live,
        }
        for what, read in reads.items():
            self._try(what, lambda read=read, what=what: self._count(read(), what))  # type: ignore[misc]
        self._try("lock", lambda: f"{len(client.query_locks())} listed")

    def _count(self, found: Records[Any], what: str) -> str:
        for bad in found.bad:
            self._say(what, f"{bad.name or bad.key or 'a record without a name'}: {bad.why}", is_failure=True)
        if what != "figures":
            return f"{len(found.good)} listed"
        silent = [each.name for each in found.good.values() if not each.answers]
        if not silent:
            return "every node answers"
        return f"no figures from {', '.join(silent)} (offline, or they do not answer)"

    def _try(self, what: str, ask: Callable[[], str]) -> bool:
        began = perf_counter()
        try:
            answer = ask()
        except RapiError as error:
            self._say(what, f"{error} ({error.kind})", is_failure=True)
            with override("en"):
                remedy = remedy_for(error.kind)
            if remedy:
                self.stdout.write(f"{'':14}{remedy}")
            return False
        self._say(what, f"{answer} ({(perf_counter() - began) * 1000:.0f} ms)")
        return True

    def _say(self, what: str, text: str, *, is_failure: bool = False) -> None:
        self.failed = self.failed or is_failure
        self.stdout.write(f"{'FAIL' if is_failure else 'ok':6}{what:12}  {text}")


def _describe_certificate(cluster: Cluster) -> str:
    shown = probe_certificate(cluster.host, cluster.port, settings.GWM_RAPI_CONNECT_TIMEOUT_S)
    if cluster.tls_trust == TlsTrust.CA:
        trusted = "to be verified by the given authority"
    elif cluster.tls_trust == TlsTrust.SYSTEM:
        trusted = "to be verified by this system's authorities"
    else:
        is_same = trust_of(cluster) == Trust.pinned(shown.fingerprint)
        trusted = "trusted by its fingerprint" if is_same else "NOT the trusted one"
    return f"{shown.subject}, until {shown.not_after:%Y-%m-%d}, {shown.fingerprint}, {trusted}"


def _describe_cluster(client: RapiClient) -> str:
    info = client.get_info()
    hypervisors = ", ".join(info.enabled_hypervisors)
    return f"{info.name}, Ganeti {info.software_version}, master {info.master}, hypervisors {hypervisors}"


def _describe_rights(client: RapiClient, cluster: Cluster) -> str:
    if not cluster.username:
        return "no user: reading only, without signing in"
    rights = "may read and write" if client.may_write() else "may read only, so nothing can be changed from here"
    return f"{cluster.username} {rights}"
