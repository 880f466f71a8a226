"""What the gateway can refuse, and the one table that says how each refusal is told.

GatewayError: we refuse this request and are well. FatalError: our own state is unknown or
not ours; the program stops and says what to do.
"""

from typing import NamedTuple


class GatewayError(Exception):
    """`retry_after_s` is how long to wait, where that is known and waiting helps."""

    reason = "refused"
    retry_after_s: int | None = None


class UnknownDeviceError(GatewayError):
    reason = "unknown-device"


class RevokedError(GatewayError):
    reason = "revoked"


class WrongNameError(GatewayError):
    """A pack whose readings are named after another device."""

    reason = "wrong-name"


class UnsupportedFormatError(GatewayError):
    """A Content-Format we do not read."""

    reason = "unsupported-format"


class ReplayedError(GatewayError):
    """An OSCORE request whose number was used, or is too far behind (RFC 8613 §7.4)."""

    reason = "replayed"


class UndecryptableError(GatewayError):
    """An OSCORE request that the device's key did not seal, or that was changed on the way."""

    reason = "undecryptable"


class StaleError(GatewayError):
    """An OSCORE request that may be an old one: whoever sent it proves that it is not by Echo."""

    reason = "stale"


class ConflictError(GatewayError):
    """An (epoch, sequence) that is already in the log with other bytes."""

    reason = "conflict"


class BusyError(GatewayError):
    """The queue before the writer is full; nothing was done."""

    reason = "busy"


class StoreFullError(GatewayError):
    """No space left: nothing of the transaction was kept."""

    reason = "store-full"


class StoreFailedError(GatewayError):
    """The store failed; whether it kept the transaction has to be read from it again."""

    reason = "store-failed"


class BadQueryError(GatewayError):
    reason = "bad-query"


class UnauthorizedError(GatewayError):
    """No token, or one that is not known or has expired."""

    reason = "unauthorized"


class ForbiddenError(GatewayError):
    """A token without the scope this needs."""

    reason = "forbidden"


class NotFoundError(GatewayError):
    reason = "not-found"


class BadPathError(GatewayError):
    """A path that no resource can have."""

    reason = "bad-path"


class MethodError(GatewayError):
    """What this path does not do."""

    reason = "method"


class PreconditionError(GatewayError):
    """If-Match or If-None-Match, and the resource is not as they say; nothing was done."""

    reason = "precondition"


class GoneError(GatewayError):
    """A resource that is there, and whose content was deleted on purpose."""

    reason = "gone"


class QuotaError(GatewayError):
    """No more resources, or bytes in them, until something was deleted; nothing was done."""

    reason = "quota"


class CommandsFullError(GatewayError):
    """So many commands wait for one device that it gets no more until it has done some."""

    reason = "commands-full"


class ContentTooLargeError(GatewayError):
    """A resource, or what is put or appended at once, would have more than `max_bytes`."""

    reason = "content-too-large"

    def __init__(self, message: str, max_bytes: int) -> None:
        super().__init__(message)
        self.max_bytes = max_bytes


class BadOptionError(GatewayError):
    """A critical option that we do not read where it stands (RFC 7252 §5.4.1)."""

    reason = "bad-option"


class NotAcceptableError(GatewayError):
    """Accept asks for a Content-Format that there is not."""

    reason = "not-acceptable"


class IncompleteError(GatewayError):
    """A block whose predecessors are missing (RFC 7959 §2.9.2)."""

    reason = "incomplete"


class RateError(GatewayError):
    """One peer asks for more than its share (RFC 8516)."""

    reason = "rate"


class UnsignedError(GatewayError):
    """No checkpoint of ours covers it yet; one will within about a second."""

    reason = "unsigned"


class IntegrityError(GatewayError):
    """What is stored is not what was committed: it is never served.

    `one`: this entry alone; else it shares what is wrong with others. `index` is -1 where it is
    not known which entry that is.
    """

    reason = "integrity"

    def __init__(self, index: int, what: str, *, one: bool = True) -> None:
        super().__init__(what if index < 0 else f"entry {index}: {what}")
        self.index = index
        self.what = what
        self.one = one


class UnknownOriginError(GatewayError):
    """A batch of a ledger whose key the collector was not told to trust."""

    reason = "unknown-origin"


class OutOfOrderError(GatewayError):
    """A batch that starts past what the collector holds; `next_index` says where to go on."""

    reason = "out-of-order"

    def __init__(self, message: str, next_index: int) -> None:
        super().__init__(message)
        self.next_index = next_index


class ForkedError(GatewayError):
    """Entries or a checkpoint that contradict what the collector has seen before."""

    reason = "forked"


class FatalError(Exception):
    """Stop. `fix` is the next thing to type or to look at."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


class ConfigError(FatalError):
    """A configuration or a directory that cannot be used as it is."""


class DamagedError(FatalError):
    """A ledger, or a copy of one, that was read and is not what was committed or signed."""


class HeldError(FatalError):
    """Another process has this directory."""


class RolledBackError(FatalError):
    """The ledger is behind, or differs from, a checkpoint that our key signed: `note`."""

    def __init__(self, message: str, fix: str, note: str = "") -> None:
        super().__init__(message, fix)
        self.note = note


class Answer(NamedTuple):
    """How one outcome is told: CoAP code byte, HTTP status, and whether waiting helps."""

    coap: int
    http: int
    retry: bool = False


def _code(class_: int, detail: int) -> int:
    return class_ << 5 | detail


# reason -> answer; the reason itself is the metric label and the problem type.
ANSWERS = {
    "kept": Answer(_code(2, 4), 200),
    "repeat": Answer(_code(2, 4), 200),
    # protocol.errors: the bytes are wrong
    "malformed": Answer(_code(4, 0), 400),
    "unsupported": Answer(_code(4, 0), 400),
    "too-large": Answer(_code(4, 13), 413),
    "bad-mac": Answer(_code(4, 1), 401),
    "bad-signature": Answer(_code(4, 1), 401),
    "tampered": Answer(_code(4, 9), 409),
    # ours: the request is refused
    "wrong-name": Answer(_code(4, 0), 400),
    "bad-query": Answer(_code(4, 0), 400),
    "bad-path": Answer(_code(4, 0), 400),
    "bad-option": Answer(_code(4, 2), 400),
    "method": Answer(_code(4, 5), 405),
    "not-acceptable": Answer(_code(4, 6), 406),
    "incomplete": Answer(_code(4, 8), 408),
    "gone": Answer(_code(4, 4), 410),
    "content-too-large": Answer(_code(4, 13), 413),
    "quota": Answer(_code(4, 13), 413),
    "commands-full": Answer(_code(4, 13), 413),
    "precondition": Answer(_code(4, 12), 412),
    "rate": Answer(_code(4, 29), 429, retry=True),
    "undecryptable": Answer(_code(4, 0), 400),
    "replayed": Answer(_code(4, 1), 401),
    "stale": Answer(_code(4, 1), 401),
    "unknown-device": Answer(_code(4, 1), 401),
    "unauthorized": Answer(_code(4, 1), 401),
    "revoked": Answer(_code(4, 3), 403),
    "forbidden": Answer(_code(4, 3), 403),
    "unknown-origin": Answer(_code(4, 3), 403),
    "not-found": Answer(_code(4, 4), 404),
    "conflict": Answer(_code(4, 9), 409),
    "out-of-order": Answer(_code(4, 9), 409),
    "forked": Answer(_code(4, 9), 422),
    "unsupported-format": Answer(_code(4, 15), 415),
    "integrity": Answer(_code(5, 0), 500),
    "unsigned": Answer(_code(5, 3), 503, retry=True),
    "busy": Answer(_code(5, 3), 503, retry=True),
    "store-full": Answer(_code(5, 3), 507, retry=True),
    "store-failed": Answer(_code(5, 3), 503, retry=True),
}
