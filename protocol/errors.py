"""What can be wrong with bytes that arrived. `reason` is stable: it is part of the wire format.

Any other exception out of `protocol` is a bug of ours.
"""


class ProtocolError(Exception):
    """The peer's fault; nothing of ours has changed."""

    reason = "protocol-error"


class MalformedError(ProtocolError):
    """Not what our encoder would have written."""

    reason = "malformed"


class UnsupportedError(ProtocolError):
    """Well formed, but a version, algorithm or field we do not speak."""

    reason = "unsupported"


class TooLargeError(ProtocolError):
    """Over a limit; `max_bytes` is that limit, where it is one on a whole body, else 0."""

    reason = "too-large"

    def __init__(self, message: str, max_bytes: int = 0) -> None:
        super().__init__(message)
        self.max_bytes = max_bytes


class BadMacError(ProtocolError):
    """The tag does not belong to these bytes, this key and this direction."""

    reason = "bad-mac"


class BadSignatureError(ProtocolError):
    """No signature by the key we were told to trust."""

    reason = "bad-signature"


class OutOfStateError(ProtocolError):
    """An event that the exchange's state does not know."""

    reason = "out-of-state"


class TamperedError(ProtocolError):
    """A stored entry is not the one that was committed to; `index` says which.

    `untold`: its body is missing, and an entry that is not read yet may still say why.
    """

    reason = "tampered"

    def __init__(self, index: int, what: str, *, untold: bool = False) -> None:
        super().__init__(f"entry {index}: {what}")
        self.index = index
        self.what = what
        self.untold = untold


class FaultError(Exception):
    """Our own arithmetic came out wrong: damaged memory, or damaged flash. Nothing was signed."""
