"""Tags and boxes: how a roster can be looked up but not read. The only place with cryptography.

An identifier and the institution's roster key give a *tag* (8 bytes: finds the row) and a *box key* (32 bytes: opens
the greeting in it). Without the identifier neither can be made, so a stolen roster lists nobody; whoever holds the
roster key can still test guesses (docs/privacy.md says how fast).
"""

from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.utils import random as random_bytes

from sync.identifiers import Card, Identifier

TAG_SIZE = 8
KEY_SIZE = 32
PAD = 24
"""Greetings are padded to a multiple of this many bytes, so that their length says little about a name: nearly all are
shorter, in any script."""
LONGEST_GREETING = 63
"""UTF-8 bytes; a longer name is cut at a letter."""


class Lookup(NamedTuple):
    """What one identifier opens under one roster key."""

    tag: bytes
    box_key: bytes


def new_key() -> bytes:
    """A fresh 32-byte secret."""
    return random_bytes(KEY_SIZE)


def lookup(roster_key: bytes, identifier: Identifier) -> Lookup:
    """The tag and the box key of an identifier: one keyed BLAKE2b, 40 bytes."""
    digest = blake2b(_canonical(identifier), digest_size=TAG_SIZE + KEY_SIZE, key=roster_key).digest()
    return Lookup(digest[:TAG_SIZE], digest[TAG_SIZE:])


def seal_greeting(box_key: bytes, greeting: str, epoch: UUID, position: int) -> bytes:
    """The greeting sealed by ChaCha20-Poly1305.

    Content that changes gets a new position, so that no nonce ever meets two texts.
    """
    padded = bindings.sodium_pad(_shortened(greeting), PAD)
    return bindings.crypto_aead_chacha20poly1305_ietf_encrypt(padded, None, _nonce(epoch, position), box_key)


def open_greeting(box_key: bytes, sealed: bytes, epoch: UUID, position: int) -> str | None:
    """The greeting, or None when this identifier does not open it."""
    try:
        padded = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, None, _nonce(epoch, position), box_key)
        return bindings.sodium_unpad(padded, PAD).decode()
    except (CryptoError, ValueError):
        return None


def new_hub_key() -> tuple[bytes, bytes]:
    """A fresh X25519 pair for a hub: (private, public), 32 bytes each."""
    private = PrivateKey.generate()
    return bytes(private), bytes(private.public_key)


def seal_to_hub(hub_key: bytes, identifier: Identifier) -> bytes:
    """An identifier the roster does not know, readable by the hub alone. As typed, so that staff see what was typed."""
    return bytes(SealedBox(PublicKey(hub_key)).encrypt(_spoken(identifier)))


def open_at_hub(hub_private: bytes, sealed: bytes) -> tuple[str, str] | None:
    """What was sealed to the hub, as (`email` or `card`, text), or None when it was not sealed to this key."""
    try:
        kind, _, text = bytes(SealedBox(PrivateKey(hub_private)).decrypt(sealed)).decode().partition("\0")
    except (CryptoError, UnicodeDecodeError):
        return None
    return (kind, text) if kind in ("email", "card") else None


def _canonical(identifier: Identifier) -> bytes:
    if isinstance(identifier, Card):
        return b"card\0" + identifier.id.encode("utf-8", "surrogatepass")
    return b"email\0" + identifier.key.encode()


def _spoken(identifier: Identifier) -> bytes:
    if isinstance(identifier, Card):
        return b"card\0" + identifier.id.encode("utf-8", "surrogatepass")
    return b"email\0" + identifier.typed.encode()


def _shortened(greeting: str) -> bytes:
    return greeting.encode()[:LONGEST_GREETING].decode("utf-8", "ignore").encode()


def _nonce(epoch: UUID, position: int) -> bytes:
    return epoch.bytes[-4:] + position.to_bytes(8, "big")
