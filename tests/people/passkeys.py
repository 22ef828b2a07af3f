"""Something that makes passkeys and shows them, as a browser hands its answers over; and that can be made to lie."""

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAG = AuthenticatorData.FLAG
ORIGIN = "https://testserver"


class Passkey:
    """One passkey; `count` is how often it was shown, 0 if it does not count."""

    def __init__(self, count: int = 0, *, knows_owner: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.handle, self.count = secrets.token_bytes(16), b"", count
        self.flags = FLAG.UP | (FLAG.UV if knows_owner else FLAG(0))

    def make(self, options: dict[str, Any], origin: str = ORIGIN) -> str:
        """The answer to being asked to be made."""
        asked = options["publicKey"]
        self.handle = websafe_decode(asked["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())
        made = AttestedCredentialData.create(b"\0" * 16, self.id, public)
        data = AuthenticatorData.create(_hash(asked["rp"]["id"]), self.flags | FLAG.AT, self.count, made)
        client = CollectedClientData.create("webauthn.create", asked["challenge"], origin)
        return self._answer(client, attestationObject=AttestationObject.create("none", data, {}))

    def show(self, options: dict[str, Any], origin: str = ORIGIN) -> str:
        """The answer to being asked to be shown."""
        asked = options["publicKey"]
        if self.count:
            self.count += 1
        data = AuthenticatorData.create(_hash(asked["rpId"]), self.flags, self.count)
        client = CollectedClientData.create("webauthn.get", asked["challenge"], origin)
        signature = self.key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(client, authenticatorData=data, signature=signature, userHandle=self.handle)

    def _answer(self, client: CollectedClientData, **response: bytes) -> str:
        parts = {name: websafe_encode(value) for name, value in {"clientDataJSON": client, **response}.items()}
        named = websafe_encode(self.id)
        told = {"id": named, "rawId": named, "type": "public-key", "response": parts, "clientExtensionResults": {}}
        return json.dumps(told)


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
