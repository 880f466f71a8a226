"""Client: one witness over HTTP (C2SP tlog-witness). Nothing it says is believed here."""

import hashlib
from typing import Any, NamedTuple, Protocol

from gateway.peer import Limits, Peer, PeerError
from protocol import note as notes
from protocol import witnessing
from protocol.errors import ProtocolError
from protocol.witnessing import CONFLICT, COSIGN, FORKED, STATUS, Request

_MAX_ANSWER_BYTES = 65_536
_REASONS = {status: reason for reason, status in STATUS.items()}


class Reply(NamedTuple):
    """`reason` is `COSIGN` with `lines`, `CONFLICT` with `size`, or `FORKED`."""

    reason: str
    lines: str = ""
    size: int = 0


class WitnessError(Exception):
    """No such reply. `reason` is the standard's, "unreachable", or what it is."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class WitnessClient(Protocol):
    async def add(self, request: Request) -> Reply:
        """Asks for a cosignature. WitnessError where it can neither give nor refuse one."""

    async def latest(self, origin: str) -> str:
        """The note of `origin` it cosigned last; "" where it never did. WitnessError."""


class HttpWitness:
    """`url` is the submission prefix, and the monitoring prefix, too. ConfigError if it is none."""

    def __init__(self, url: str, timeout_ms: int, transport: Any = None) -> None:
        limits = Limits(timeout_ms, timeout_ms, _MAX_ANSWER_BYTES)
        self._peer = Peer(url, "the witness's", limits, transport=transport)

    async def add(self, request: Request) -> Reply:
        body = witnessing.format_request(request)
        status, text = await self._ask("POST", "add-checkpoint", content=body)
        reason = _REASONS.get(status, f"http-{status}")
        if reason == COSIGN:
            return Reply(reason, lines=text)
        if reason == CONFLICT:
            return Reply(reason, size=_size(text))
        if reason == FORKED:
            return Reply(reason)
        raise WitnessError(reason)

    async def latest(self, origin: str) -> str:
        digest = hashlib.sha256(origin.encode()).hexdigest()
        status, text = await self._ask("GET", f"{digest}/checkpoint")
        if status == 200:
            return text
        if status == 404:
            return ""
        raise WitnessError(f"http-{status}")

    async def close(self) -> None:
        await self._peer.close()

    async def _ask(self, method: str, path: str, content: bytes | None = None) -> tuple[int, str]:
        try:
            said = await self._peer.ask(method, path, content=content)
        except PeerError as error:
            raise WitnessError(error.reason, str(error)) from error
        return said.status, said.data.decode(errors="replace")


def _size(text: str) -> int:
    try:
        return notes.parse_size(text.removesuffix("\n"))
    except ProtocolError as error:
        raise WitnessError("malformed", f"409 without a size: {error}") from error
