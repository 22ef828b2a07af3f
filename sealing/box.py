"""A box that seals texts with the first of some keys and opens what any of them sealed.

Fernet (AES-CBC and HMAC-SHA256) under keys that are derived for one purpose each, so that what was sealed for one thing
cannot be passed off as another.
"""

import base64
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class NotOurs(Exception):
    """Sealed with another key or for another purpose, or tampered with."""


class Box:
    """Seals and opens for one purpose. The order of the keys matters: the first one seals."""

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        """ValueError if there is no key, or an empty one."""
        if not keys or not all(keys):
            raise ValueError("no key is set")
        self._ciphers = [Fernet(_derive(key, purpose)) for key in keys]
        self._all = MultiFernet(self._ciphers)

    def seal(self, content: bytes) -> str:
        """As text of base64url."""
        return self._all.encrypt(content).decode("ascii")

    def open(self, token: str) -> bytes:
        """What was sealed with any of the keys. Raises NotOurs."""
        return _open(self._all, token)

    def is_current(self, token: str) -> bool:
        """Whether the first key sealed it."""
        try:
            _open(self._ciphers[0], token)
        except NotOurs:
            return False
        return True


def _open(cipher: Fernet | MultiFernet, token: str) -> bytes:
    try:
        return cipher.decrypt(token.encode("utf-8"))
    except InvalidToken:
        raise NotOurs from None


@lru_cache(maxsize=16)
def box_for(keys: tuple[str, ...], purpose: str) -> Box:
    """The box of these keys; deriving costs, so boxes are kept."""
    return Box(keys, purpose)


def _derive(key: str, purpose: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode("utf-8"))
    return base64.urlsafe_b64encode(derivation.derive(key.encode("utf-8")))
