"""VNC authentication: the password is a DES key whose bytes are written backwards, bit by bit."""

import hmac
import os

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

CHALLENGE_LENGTH = 16
KEY_LENGTH = 8


def new_challenge() -> bytes:
    return os.urandom(CHALLENGE_LENGTH)


def response_to(challenge: bytes, password: str) -> bytes:
    """What a client that knows the password answers; only its first eight characters count."""
    key = password.encode("latin-1", "replace")[:KEY_LENGTH].ljust(KEY_LENGTH, b"\0")
    reversed_bits = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    encryptor = Cipher(TripleDES(reversed_bits * 3), ECB()).encryptor()  # noqa: S305 (the protocol's own choice)
    return encryptor.update(challenge) + encryptor.finalize()


def is_right(challenge: bytes, response: bytes, password: str) -> bool:
    return hmac.compare_digest(response, response_to(challenge, password))
