"""What a person pastes as an SSH public key: read, checked and cleaned."""

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from objectlog.words import gettext as _

# By OpenSSH's names (sshd(8), AUTHORIZED_KEYS FILE FORMAT); DSA is gone from OpenSSH since 10.0.
KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
LEAST_RSA_BITS = 2048
# OpenSSH reads no larger RSA key (SSHBUF_MAX_BIGNUM).
MOST_RSA_BITS = 16384
LONGEST = 8000
LONGEST_COMMENT = 200
_MAKE_ONE = "ssh-keygen -t ed25519"
_UNSEEN = re.compile(r"[^\x20-\x7e\xa1-\U0010ffff]|[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class NotTaken(ValueError):
    """The text is no key that can be taken; the words say why, and what to paste."""


@dataclass(frozen=True)
class PublicKey:
    """A public key. `body` is what stands between type and comment, in base64; `bits` is the size of an RSA key."""

    kind: str
    body: str
    comment: str = ""
    bits: int = 0

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def clean_comment(text: str) -> str:
    """What can stand behind a key on its one line, cut at its longest."""
    return " ".join(_UNSEEN.sub(" ", text).split())[:LONGEST_COMMENT].rstrip()


def read_public_key(text: str) -> PublicKey:
    """The one key in `text`, a line of a `.pub` file. Raises NotTaken."""
    line = text.strip()
    if "PRIVATE KEY" in line:
        raise NotTaken(
            _("This is a private key: keep it to yourself. Paste the public one, from the file that ends in .pub.")
        )
    if line.startswith("---- BEGIN SSH2"):
        raise NotTaken(_("This is a key in the format of RFC 4716. Convert it: %s") % "ssh-keygen -i -f FILE")
    if len(line) > LONGEST:
        raise NotTaken(_("This is longer than a public key can be. Paste one line of a file that ends in .pub."))
    if len(line.splitlines()) > 1:
        raise NotTaken(_("Paste one key at a time, on one line."))
    kind, body, comment = (*line.split(None, 2), "", "", "")[:3]
    if kind not in KINDS:
        raise NotTaken(_explain_kind(kind, line))
    try:
        body = base64.b64encode(base64.b64decode(body, validate=True)).decode()
        key = load_ssh_public_key(f"{kind} {body}".encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotTaken(_("The key is incomplete or damaged. Copy the whole line again.")) from error
    bits = key.key_size if isinstance(key, RSAPublicKey) else 0
    if bits and bits < LEAST_RSA_BITS:
        said = {"bits": bits, "least": LEAST_RSA_BITS, "command": _MAKE_ONE}
        raise NotTaken(
            _("An RSA key of %(bits)d bits is too weak; it takes %(least)d. Make a better one: %(command)s") % said
        )
    if bits > MOST_RSA_BITS:
        raise NotTaken(_("An RSA key of more than %d bits is read by no SSH server.") % MOST_RSA_BITS)
    return PublicKey(kind, body, clean_comment(comment), bits)


def _explain_kind(kind: str, line: str) -> str:
    if kind == "ssh-dss":
        return _("DSA keys are taken by no SSH server any more. Make another: %s") % _MAKE_ONE
    if "-cert-v01@" in kind:
        return _("This is a certificate. Paste the public key that it was made of.")
    if any(f"{each} " in line for each in KINDS):
        return _("Options are not taken: begin with the type of the key, such as %s.") % KINDS[0]
    said = _("This is no SSH public key: the line of a file that ends in .pub, beginning with a type such as %s.")
    return said % KINDS[0]
