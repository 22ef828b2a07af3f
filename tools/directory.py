"""A throwaway LDAP directory: Debian's slapd on the loopback, with TLS of an authority of its own."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.throwaway import Unavailable, free_port

SUFFIX = "dc=example,dc=org"
ADMIN, SECRET = f"cn=admin,{SUFFIX}", "marker-secret-of-the-directory"
#: where it answers, too, with a certificate that is not for it
OTHER_ADDRESS = "127.0.0.2"
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {where}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {where}/ca.pem
TLSCertificateFile {where}/cert.pem
TLSCertificateKeyFile {where}/key.pem
allow bind_v2 bind_anon_dn
{more}
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {secret}
directory {where}/data
maxsize 16777216
index uid,member,entryUUID eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=blind,{suffix}" none by * read
{within}
"""


@dataclass
class Slapd:
    """The server, and what one needs to speak to it."""

    where: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Without TLS, or for StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """With TLS."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca_file(self) -> str:
        """Who has signed its certificate."""
        return str(self.where / "ca.pem")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = find_slapd()
        urls = " ".join(f"{url}/" for url in (self.url, self.tls_url))
        urls += f" {urls.replace('127.0.0.1', OTHER_ADDRESS)}"
        command = [program, "-d", "0", "-h", urls, "-f", str(self.where / "slapd.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _try in range(300):
            if self._answers():
                return
            if self.process.poll() is not None:
                raise Unavailable("slapd does not start.")
            time.sleep(0.05)
        raise Unavailable("slapd does not answer.")

    def stop(self) -> None:
        """End it; what is in it stays."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        command = ["ldapsearch", "-x", "-H", self.url, "-s", "base", "-b", "", "1.1"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def find_slapd() -> str:
    """Where the program is; among those of root, which a user's PATH leaves out."""
    found = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin:/sbin")
    if found is None or shutil.which("ldapsearch") is None:
        raise Unavailable("slapd is not installed (Debian: apt install slapd ldap-utils).")
    return found


@contextmanager
def running_directory(more: str = "", within: str = "") -> Iterator[Slapd]:
    """A directory with the tree's root and nothing else; needs no root. `more` of its configuration, `within` that of
    its database."""
    find_slapd()
    with tempfile.TemporaryDirectory(prefix="gwm-slapd-") as name:
        where = Path(name)
        (where / "data").mkdir()
        make_certificate(where)
        config = _CONFIG.format(where=where, suffix=SUFFIX, admin=ADMIN, secret=SECRET, more=more, within=within)
        (where / "slapd.conf").write_text(config)
        server = Slapd(where, free_port(), free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def make_certificate(where: Path) -> None:
    """An authority and a certificate of it for 127.0.0.1."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throwaway authority")])
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    ca = _certificate(authority, authority, ca_key.public_key(), ca_key, constraints)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = _certificate(subject, authority, key.public_key(), ca_key, names)
    (where / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (where / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    plain = serialization.NoEncryption()
    (where / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signing: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(signing, hashes.SHA256())
    )
