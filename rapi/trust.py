"""Which certificate a cluster may show: by the system's authorities, by given ones, or by fingerprint."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from rapi.connecting import open_socket
from rapi.errors import Garbled, TimedOut, Unreachable
from rapi.text import clean_text
from rapi.words import words as _

_MAX_NAME = 500
_HEX_64 = re.compile(r"[0-9a-f]{64}")
#: what OpenSSL says when the other side's TLS is older than ours may be
_TOO_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"})
#: X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH
_WRONG_HOST = frozenset({62, 64})


def normalize_fingerprint(text: str) -> str:
    """SHA-256 fingerprint as "AB:CD:…" from any usual spelling (colons, spaces, lower case, "sha256:" before it).

    Raises ValueError when it is not 32 bytes of hexadecimal.
    """
    bare = text.strip().lower()
    for prefix in ("sha256 fingerprint=", "sha256:", "sha256=", "sha-256:"):
        bare = bare.removeprefix(prefix)
    bare = re.sub(r"[\s:]", "", bare)
    if not _HEX_64.fullmatch(bare):
        raise ValueError(_("A SHA-256 fingerprint has 64 hexadecimal digits."))
    bare = bare.upper()
    return ":".join(bare[i : i + 2] for i in range(0, 64, 2))


def fingerprint_of(der: bytes) -> str:
    """SHA-256 fingerprint of a certificate in DER, as "AB:CD:…"."""
    return normalize_fingerprint(hashlib.sha256(der).hexdigest())


@dataclass(frozen=True)
class Trust:
    """How to verify the server. Use one of the constructors, not the fields.

    With a fingerprint the certificate must be exactly that one; its name, dates and issuer don't matter
    (Ganeti's own is X.509 v1, self-signed, without a host name). Otherwise chain and host name are verified.
    """

    fingerprint: str | None = None
    authorities_pem: str | None = None
    check_hostname: bool = True

    @classmethod
    def system(cls) -> Trust:
        """Trust the authorities of the operating system."""
        return cls()

    @classmethod
    def pinned(cls, fingerprint: str) -> Trust:
        """Trust exactly the certificate with this SHA-256 fingerprint. ValueError if it is malformed."""
        return cls(fingerprint=normalize_fingerprint(fingerprint), check_hostname=False)

    @classmethod
    def authority(cls, pem: str, *, check_hostname: bool = True) -> Trust:
        """Trust certificates issued by the authorities in this PEM text, and no others. ValueError if malformed."""
        trust = cls(authorities_pem=pem, check_hostname=check_hostname)
        trust.ssl_context()
        return trust

    @classmethod
    def authority_file(cls, path: str | Path, *, check_hostname: bool = True) -> Trust:
        """As `authority`, from a file. OSError if it can't be read."""
        return cls.authority(Path(path).read_text(encoding="ascii", errors="replace"), check_hostname=check_hostname)

    def ssl_context(self) -> ssl.SSLContext:
        """A fresh client context, TLS 1.2 or newer. With a fingerprint the transport compares after the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.fingerprint is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        context.check_hostname = self.check_hostname
        if self.authorities_pem is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
            return context
        try:
            context.load_verify_locations(cadata=self.authorities_pem)
        except (ssl.SSLError, ValueError, TypeError) as error:
            raise ValueError(_("This is not a PEM certificate.")) from error
        if not context.cert_store_stats()["x509"]:
            raise ValueError(_("There is no certificate in this PEM text."))
        return context


@dataclass(frozen=True)
class Certificate:
    """What a server shows before anyone trusts it."""

    fingerprint: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    pem: str
    names_hosts: bool = True

    @property
    def is_self_signed(self) -> bool:
        """Whether subject and issuer are the same (Ganeti's own certificate is)."""
        return self.subject == self.issuer


def read_certificate(der: bytes) -> Certificate:
    """Parse a certificate in DER. Raises ValueError."""
    try:
        parsed = x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as error:
        raise ValueError(_("its version is none")) from error
    try:
        parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names_hosts = True
    except x509.ExtensionNotFound:
        names_hosts = False
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(_("its extensions can't be read")) from error
    return Certificate(
        fingerprint=fingerprint_of(der),
        subject=clean_text(parsed.subject.rfc4514_string(), _MAX_NAME),
        issuer=clean_text(parsed.issuer.rfc4514_string(), _MAX_NAME),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        pem=ssl.DER_cert_to_PEM_cert(der),
        names_hosts=names_hosts,
    )


def probe_certificate(host: str, port: int = 5080, timeout_s: float = 5.0) -> Certificate:
    """The certificate a server shows, without trusting it and without sending it anything.

    Raises Unreachable, TimedOut, or Garbled (it does not speak TLS, or shows nonsense).
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with _shake_hands(host, port, timeout_s, context) as wrapped:
            der = wrapped.getpeercert(binary_form=True)
    except TimeoutError as error:
        raise TimedOut(
            _("No answer within %(limit)s s.", limit=f"{timeout_s:g}"), where=where, connecting=True
        ) from error
    except ssl.SSLError as error:
        raise Garbled(explain_tls_error(host, port, error, timeout_s), where=where) from error
    except (OSError, UnicodeError) as error:
        raise Unreachable(explain_os_error(error), where=where) from error
    if not der:
        raise Garbled(_("The server showed no certificate."), where=where)
    try:
        return read_certificate(der)
    except ValueError as error:
        raise Garbled(_("The server's certificate can't be read."), where=where) from error


def _shake_hands(host: str, port: int, timeout_s: float, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection that trusts whatever the server shows."""
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    bare = host.strip("[]")
    with open_socket(bare, port, time.monotonic() + timeout_s) as raw:
        return context.wrap_socket(raw, server_hostname=bare)


def explain_tls_error(host: str, port: int, error: ssl.SSLError | None, timeout_s: float) -> str:
    """One sentence for a handshake that failed; looks once more whether the server's TLS is merely too old."""
    if error is None or error.reason not in _TOO_OLD:
        return _("This port does not speak TLS.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    version = None
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with _shake_hands(host, port, timeout_s, context) as wrapped:
            version = wrapped.version()
    except (OSError, UnicodeError):
        version = None
    if version is None:
        return _("Its TLS is too old: it speaks a version before 1.2, and TLS 1.2 or newer is needed.")
    named = "TLS 1.0" if version == "TLSv1" else version.replace("TLSv1", "TLS 1")
    return _("Its TLS is too old: it speaks %(version)s, and TLS 1.2 or newer is needed.", version=named)


def explain_verification(error: ssl.SSLCertVerificationError, presented: Certificate | None) -> str:
    """Why a certificate was not accepted, and what to do where that is not obvious."""
    if error.verify_code not in _WRONG_HOST:
        return error.verify_message or _("unknown issuer")
    if presented is not None and not presented.names_hosts:
        return _(
            "it names no host: it has no subject alternative name, as Ganeti's own certificates have none; "
            "pin its fingerprint instead"
        )
    return _("it is not for this host; pin its fingerprint instead")


def explain_os_error(error: BaseException) -> str:
    """One sentence for a failed connection."""
    if isinstance(error, socket.gaierror):
        return _("The host name is not known.")
    if isinstance(error, ConnectionRefusedError):
        return _("Nothing listens there (connection refused).")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return _("The connection was cut.")
    if isinstance(error, UnicodeError):
        return _("This is not a valid host name.")
    if isinstance(error, OSError) and error.strerror:
        return _("No connection: %(reason)s.", reason=error.strerror)
    return _("No connection.")
