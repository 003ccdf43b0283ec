"""Errors that say what the caller may do next. Each carries a stable code.

    CheckinError
     ├── Refused                 asking again will not help
     │    ├── Unreadable         what was typed, scanned, swiped or sent cannot be read
     │    ├── BadPattern         a card format that cannot be used
     │    ├── DeviceUnknown      401: the hub does not know this token
     │    ├── DeviceRevoked      403: this kiosk was cut off
     │    ├── ForeignStream      403: the stream belongs to another kiosk
     │    ├── CodeRefused        an enrolment code that is wrong, used or too old
     │    ├── OtherAuthority     the certificate authority there is not the one a kiosk was told of
     │    ├── Gap                409: the hub holds less than the push assumed
     │    ├── Fork               409: the hub holds another history of this stream
     │    ├── TooLarge           413: send less at once
     │    ├── ChainBroken        what the journal holds is not what it wrote
     │    └── ProtocolTooOld     426: this kiosk needs an update
     └── TryLater                nobody said no; the same bytes may be sent again
          ├── HubUnreachable     no answer at all, or a cut one
          ├── HubNotTrusted      somebody answers in its place who cannot prove to be the hub
          ├── HubBusy            429, 503 or another 5xx
          ├── NotOurHub          an answer, but not from the hub this kiosk enrolled with
          └── HubMismatch        our hub, but its answer contradicts what this kiosk holds

The code is what goes into databases, answers, logs and CSS classes. The sentence for people is in a template.
"""

from typing import ClassVar


class CheckinError(Exception):
    """The root of the tree. `detail` is for logs: it never holds an address or a name."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail


class Refused(CheckinError):
    """Asking again will not help."""

    code = "refused"


class Unreadable(Refused):
    """What was typed, scanned, swiped or sent cannot be read; `reason` is a stable code."""

    code = "unreadable"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


class BadPattern(Refused):
    """A card format that cannot be used; `detail` says where and why."""

    code = "bad_pattern"


class DeviceUnknown(Refused):
    code = "device_unknown"


class DeviceRevoked(Refused):
    code = "device_revoked"


class ForeignStream(Refused):
    code = "foreign_stream"


class CodeRefused(Refused):
    code = "code_refused"


class OtherAuthority(Refused):
    """The hub there shows another certificate authority than the one a kiosk was told of, or none."""

    code = "other_authority"


class Gap(Refused):
    """The hub holds the stream up to `acked_seq` (whose hash is `acked_hash`) and no further."""

    code = "gap"

    def __init__(self, acked_seq: int, acked_hash: bytes) -> None:
        super().__init__(f"hub holds {acked_seq}")
        self.acked_seq = acked_seq
        self.acked_hash = acked_hash


class Fork(Refused):
    """The hub holds another history of this stream, different from `at_seq` on."""

    code = "fork"

    def __init__(self, at_seq: int) -> None:
        super().__init__(f"histories differ at {at_seq}")
        self.at_seq = at_seq


class TooLarge(Refused):
    code = "too_large"


class ChainBroken(Refused):
    """A fact's bytes are not the ones its journal wrote. It is never handed over as if they were."""

    code = "chain_broken"


class ProtocolTooOld(Refused):
    code = "proto_too_old"


class TryLater(CheckinError):
    """Nobody said no; the same bytes may be sent again. `retry_after` is in seconds, if the hub named one."""

    code = "try_later"

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class HubUnreachable(TryLater):
    code = "hub_unreachable"


class HubNotTrusted(TryLater):
    """Whoever answers has no certificate, for this address, of an authority that is trusted. Nothing was sent."""

    code = "hub_not_trusted"


class HubBusy(TryLater):
    code = "hub_busy"


class NotOurHub(TryLater):
    code = "not_our_hub"


class HubMismatch(TryLater):
    code = "hub_mismatch"
