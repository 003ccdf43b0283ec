"""Tags and boxes: how a roster can be looked up but not read. The only place with cryptography.

An identifier and the institution's roster key give a *tag* (8 bytes: finds the row) and a *box key* (32 bytes: opens
the greeting in it). Without the identifier neither can be made, so a stolen roster lists nobody; whoever holds the
roster key can still test guesses (docs/privacy.md says how fast).
"""

from hashlib import blake2b, scrypt
from typing import NamedTuple
from uuid import UUID

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.utils import random as random_bytes

from sync.identifiers import Email, Identifier, Pass
from sync.messages import DeskLock

TAG_SIZE = 8
KEY_SIZE = 32
PAD = 24
"""Greetings are padded to a multiple of this many bytes, so that their length says little about a name: nearly all are
shorter, in any script."""
LONGEST_GREETING = 63
"""UTF-8 bytes; a longer name is cut at a letter."""


LINE_NONCE = 12
"""Bytes before a sealed line."""
PIN_COST = 16
"""scrypt with 2**16 rounds of 1 KiB: 64 MiB and about a fifth of a second, once for each unlocking."""


class Lookup(NamedTuple):
    """What one identifier opens under one roster key."""

    tag: bytes
    box_key: bytes


class Opened(NamedTuple):
    """What was sealed to the hub. `kind` is `email`, `card`, `pass`, or `nothing` for somebody staff entered by name
    alone; `name` is what staff typed beside it."""

    kind: str
    text: str
    name: str = ""


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


def seal_directory_line(directory_key: bytes, line: bytes, epoch: UUID, position: int) -> bytes:
    """A person's line of the directory, behind its nonce.

    One key seals everybody's, and a hub that was restored from a backup gives positions out again: so the nonce is made
    from the text and its place, and no two texts meet one.
    """
    padded = bindings.sodium_pad(line, PAD)
    nonce = blake2b(_nonce(epoch, position) + padded, digest_size=LINE_NONCE, key=directory_key).digest()
    return nonce + bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
        padded, _nonce(epoch, position), nonce, directory_key
    )


def open_directory_line(directory_key: bytes, sealed: bytes, epoch: UUID, position: int) -> bytes | None:
    """The line, or None when this key does not open it."""
    try:
        padded = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
            sealed[LINE_NONCE:], _nonce(epoch, position), sealed[:LINE_NONCE], directory_key
        )
        return bytes(bindings.sodium_unpad(padded, PAD))
    except (CryptoError, ValueError):
        return None


def pin_key(pin: str, salt: bytes, cost: int = PIN_COST) -> bytes:
    """The key a desk PIN gives, by scrypt: slow on purpose (64 MiB at cost 16)."""
    return scrypt(
        pin.encode("utf-8", "surrogatepass"), salt=salt, n=2**cost, r=8, p=1, maxmem=2 ** (cost + 11), dklen=KEY_SIZE
    )


def new_salt() -> bytes:
    """A fresh salt for `pin_key`."""
    return random_bytes(16)


def wrap_key(wrapping_key: bytes, directory_key: bytes) -> bytes:
    """The directory key, to be opened with the key of a PIN."""
    return bytes(SecretBox(wrapping_key).encrypt(directory_key))


def unlock(lock: DeskLock, pin: str) -> bytes | None:
    """The directory key, or None when this is not the PIN."""
    try:
        return bytes(SecretBox(pin_key(pin, lock.salt, lock.cost)).decrypt(lock.wrapped_key))
    except (CryptoError, ValueError):
        return None


def new_hub_key() -> tuple[bytes, bytes]:
    """A fresh X25519 pair for a hub: (private, public), 32 bytes each."""
    private = PrivateKey.generate()
    return bytes(private), bytes(private.public_key)


def seal_to_hub(hub_key: bytes, identifier: Identifier | None, name: str = "") -> bytes:
    """Somebody the roster does not know, readable by the hub alone: the identifier as typed, so that staff see what was
    typed, and the name staff gave beside it or instead of it."""
    kind, text = ("nothing", "") if identifier is None else (_kind(identifier), _spoken(identifier))
    said = f"{kind}\0{name.replace(chr(0), '')}\0{text}".encode("utf-8", "surrogatepass")
    return bytes(SealedBox(PublicKey(hub_key)).encrypt(said))


def open_at_hub(hub_private: bytes, sealed: bytes) -> Opened | None:
    """What was sealed to the hub, or None when it was not sealed to this key."""
    try:
        said = bytes(SealedBox(PrivateKey(hub_private)).decrypt(sealed)).decode()
    except (CryptoError, UnicodeDecodeError):
        return None
    kind, *rest = said.split("\0", 2)
    if kind not in ("email", "card", "pass", "nothing") or not rest:
        return None
    # A fact may have waited since the first version, which knew no names.
    return Opened(kind, rest[-1], rest[0] if len(rest) == 2 else "")


def _canonical(identifier: Identifier) -> bytes:
    text = identifier.key if isinstance(identifier, Email) else identifier.id
    return f"{_kind(identifier)}\0{text}".encode("utf-8", "surrogatepass")


def _kind(identifier: Identifier) -> str:
    if isinstance(identifier, Email):
        return "email"
    return "pass" if isinstance(identifier, Pass) else "card"


def _spoken(identifier: Identifier) -> str:
    return identifier.typed if isinstance(identifier, Email) else identifier.id


def _shortened(greeting: str) -> bytes:
    return greeting.encode()[:LONGEST_GREETING].decode("utf-8", "ignore").encode()


def _nonce(epoch: UUID, position: int) -> bytes:
    return epoch.bytes[-4:] + position.to_bytes(8, "big")
