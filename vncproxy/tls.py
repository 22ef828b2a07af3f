"""TLS from certificate and key files."""

from pathlib import Path

from OpenSSL import crypto
from twisted.internet.ssl import CertificateOptions

_END = b"-----END CERTIFICATE-----"


def tls_options(certificate: str, key: str) -> CertificateOptions:
    """What a TLS endpoint needs, from PEM files; the certificate's may go on with its chain. OSError, ValueError."""
    parts = [part.strip() + b"\n" + _END + b"\n" for part in Path(certificate).read_bytes().split(_END) if part.strip()]
    try:
        own, *chain = [crypto.load_certificate(crypto.FILETYPE_PEM, part) for part in parts]
        private = crypto.load_privatekey(crypto.FILETYPE_PEM, Path(key).read_bytes())
    except crypto.Error as error:
        raise ValueError(f"not a certificate with its key: {certificate}, {key}") from error
    return CertificateOptions(privateKey=private, certificate=own, extraCertChain=chain or None)
