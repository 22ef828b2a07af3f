"""`manage.py add_cluster NAME --host H …`: a cluster from the command line, with the checks of the page."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from clusters.models import TlsTrust
from clusters.operations.cluster import add_cluster
from clusters.operations.probe import MAY_BE_KEPT, Probe, fetch_certificate, probe_cluster
from clusters.operations.remedies import REMEDIES
from clusters.operations.wanted import ClusterSettings
from objectlog.models import Via
from operations.contract import Actor, Forbidden, Refusal
from permissions.models import User
from permissions.selectors import find_user
from rapi.trust import Trust, normalize_fingerprint


class Command(BaseCommand):
    help = (
        "Adds a cluster. Its certificate is trusted by --fingerprint, by --ca, with --trust-now whatever it shows "
        "now, or else by the authorities this system trusts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="short name here: lower-case letters, digits and -")
        parser.add_argument("--host", required=True, help="name or address of the cluster")
        parser.add_argument("--port", type=int, default=5080)
        parser.add_argument("--user", default="", help="RAPI user; without one the cluster is read-only here")
        parser.add_argument("--password-file", help="file whose first line is the password; - for standard input")
        parser.add_argument("--description", default="")
        trust = parser.add_mutually_exclusive_group()
        trust.add_argument("--fingerprint", help="SHA-256 fingerprint of the certificate to trust")
        trust.add_argument("--ca", help="PEM file of the authority that signed the certificate")
        trust.add_argument("--trust-now", action="store_true", help="trust the certificate that the cluster shows now")
        parser.add_argument(
            "--keep-unreachable", action="store_true", help="add it although it does not answer now; it is tried again"
        )
        parser.add_argument("--as", dest="user_name", metavar="USER", help="who adds it; the first administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor(_find_actor(options["user_name"]), Via.CLI)
        password = self._read_password(options["password_file"]) if options["user"] else ""
        try:
            kind, fingerprint, pem = self._read_trust(actor, options)
            wanted = ClusterSettings(
                slug=options["name"],
                host=options["host"].strip("[]"),
                port=options["port"],
                description=options["description"],
                username=options["user"],
                password=password,
                tls_trust=kind,
                tls_fingerprint=fingerprint,
                tls_ca_pem=pem,
            )
            probe = probe_cluster(actor, wanted)
            if probe.info is None and not (options["keep_unreachable"] and probe.error_kind in MAY_BE_KEPT):
                raise CommandError(_explain(probe))
            cluster = add_cluster(actor, wanted)
        except (Forbidden, Refusal) as refusal:
            raise CommandError(str(refusal)) from refusal
        if probe.info is not None:
            self.stdout.write(
                f"{cluster}: Ganeti {probe.info.software_version}, {probe.node_count} nodes, "
                f"{probe.instance_count} machines; added. They appear with the next update."
            )
        else:
            self.stderr.write(
                _("%(cluster)s added, but it does not answer now: %(error)s")
                % {"cluster": cluster, "error": probe.error}
            )

    def _read_password(self, file: str | None) -> str:
        if file is None:
            raise CommandError("--user needs --password-file (- reads it from standard input).")
        if file == "-":
            return input().rstrip("\r\n")
        try:
            return Path(file).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except OSError as error:
            raise CommandError(f"--password-file: {error}") from error

    def _read_trust(self, actor: Actor, options: dict[str, Any]) -> tuple[TlsTrust, str, str]:
        if options["fingerprint"]:
            try:
                return TlsTrust.PIN, normalize_fingerprint(options["fingerprint"]), ""
            except ValueError as error:
                raise CommandError(f"--fingerprint: {error}") from error
        if options["ca"]:
            try:
                pem = Path(options["ca"]).read_text(encoding="ascii")
                Trust.authority(pem)
            except (OSError, ValueError) as error:
                raise CommandError(f"--ca: {error}") from error
            return TlsTrust.CA, "", pem
        if options["trust_now"]:
            shown = fetch_certificate(actor, options["host"].strip("[]"), options["port"])
            if shown.certificate is None:
                raise CommandError(f"--trust-now: {_explain(shown)}")
            self.stdout.write(f"Trusting the certificate with the SHA-256 fingerprint {shown.certificate.fingerprint}")
            return TlsTrust.PIN, shown.certificate.fingerprint, ""
        return TlsTrust.SYSTEM, "", ""


def _explain(probe: Probe) -> str:
    """Why nothing was added, and what to do."""
    words = [_("Nothing was added."), probe.error.rstrip(".") + ".", str(REMEDIES.get(probe.error_kind, ""))]
    if probe.error_kind in MAY_BE_KEPT:
        words.append(_("With --keep-unreachable it is added all the same."))
    return " ".join(filter(None, words))


def _find_actor(name: str | None) -> User:
    if name:
        user = find_user(name)
        if user is None:
            raise CommandError(f"There is no user “{name}”.")
        return user
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if user is None:
        raise CommandError("There is no administrator yet: run manage.py rescue_admin NAME first.")
    return user
