"""A self-signed certificate such as Ganeti makes for RAPI, kept in a directory or made for one run."""

import datetime
import hashlib
import ssl
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

COMMON_NAME = "ganeti.example.com"
LIFETIME = datetime.timedelta(days=5 * 365)
FILE = "rapi.pem"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Key and certificate in PEM, as the one file that Ganeti calls rapi.pem."""

    key_pem: str
    certificate_pem: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the certificate, 64 hexadecimal digits in lower case."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate_pem)).hexdigest()

    def store(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / FILE
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(self.key_pem + self.certificate_pem)
        return path


def make_certificate(hosts: tuple[str, ...] = ()) -> Certificate:
    """Make one; without hosts it names none, as Ganeti's own does, so that only pinning can accept it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    if hosts:
        names: list[x509.GeneralName] = [general_name(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(key_pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode())


def general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")


@lru_cache(maxsize=1)
def local_certificate() -> Certificate:
    """One for this process, valid for the loopback addresses: tests need not make a new one each."""
    return make_certificate(LOCAL_HOSTS)


def kept_certificate(directory: Path) -> Certificate:
    """Return the directory's certificate; make it on the first call."""
    path = directory / FILE
    if not path.exists():
        make_certificate(LOCAL_HOSTS).store(directory)
    key, marker, certificate = path.read_text().partition("-----BEGIN CERTIFICATE-----")
    return Certificate(key, marker + certificate)
