"""What the child process tells the hub: one `Opened`, any number of `Some`, then `Finished`; or why not, at any point.

Each frame is four bytes of length and a MessagePack text.
"""

import msgspec

from hub.readers import Format, How, Kind, Row
from hub.readers.limits import CPU_SECONDS

LENGTH = 4
MAX_FRAME = 64 << 20
"""Bytes. A row is at most `MAX_COLUMNS` cells of `MAX_CELL` characters; frames are sent long before."""


class Job(msgspec.Struct, frozen=True):
    """What the child process is to do: all it is told but for the file itself."""

    kind: Kind
    how: How
    cpu_seconds: int = CPU_SECONDS


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    headers: list[str]
    format: Format


class Some(msgspec.Struct, frozen=True, array_like=True, tag="some"):
    """Some rows. `done`: how much of the file was read when these were, from 0 to 1."""

    rows: list[Row]
    done: float


class Finished(msgspec.Struct, frozen=True, array_like=True, tag="finished"):
    pass


class Unreadable(msgspec.Struct, frozen=True, array_like=True, tag="unreadable"):
    """An `UnreadableFile`, field by field."""

    reason: str
    detail: str
    about: dict[str, str | int]


class Failed(msgspec.Struct, frozen=True, array_like=True, tag="failed"):
    """A fault of ours. `fault` names an exception and a line of code, and nothing out of the file."""

    fault: str


Frame = Opened | Some | Finished | Unreadable | Failed

_encoder = msgspec.msgpack.Encoder()
_decoder: "msgspec.msgpack.Decoder[Frame]" = msgspec.msgpack.Decoder(Frame)


def packed(frame: Frame) -> bytes:
    body = _encoder.encode(frame)
    return len(body).to_bytes(LENGTH, "big") + body


def unpacked(body: bytes | bytearray) -> Frame:
    """Raises `msgspec.MsgspecError` for what is no frame."""
    return _decoder.decode(body)
