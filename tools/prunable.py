"""What `prune` deletes from: a gateway that is stopped, or one that runs."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import httpx2 as httpx
import msgspec

from gateway import config as configs
from gateway import rotate
from gateway.config import COLLECTOR_FILE, GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.forward.worker import CURSOR, cursor_of
from gateway.hold import Hold
from gateway.ledger import pruning
from gateway.ledger.pruning import Order
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.surroundings import Surroundings

_TIMEOUT_S = 60
_RELEASE_PAGES = 1024
_LOG_WAIT_MS = 1000


class Part(msgspec.Struct, frozen=True):
    """What one step did; `next_start` is None where the order is followed to its end.

    `erased`: nothing of what was deleted is left in the files. `held_back` entries are not
    with the collector yet.
    """

    bodies: int
    size_bytes: int
    recorded_at: int | None
    next_start: int | None
    held_back: int
    erased: bool


class Prunable(Protocol):
    def __enter__(self) -> "Prunable": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def size(self) -> int:
        """How many entries there are."""

    def follow(self, order: Order) -> Part:
        """The next step of `order`, on stable storage on return."""


def prunable(target: str, token: str) -> Prunable:
    if target.startswith(("http://", "https://")):
        return RunningGateway(target, token)
    return StoppedGateway(Path(target))


class StoppedGateway:
    """Held as long as it is open. Nothing is signed here: the gateway does when it starts.

    ConfigError, HeldError or RolledBackError where it must not be used.
    """

    def __init__(self, path: Path) -> None:
        if (path / COLLECTOR_FILE).exists():
            raise ConfigError(
                f"{path} is a collector's", "prune at the gateway: collectors follow with --redact"
            )
        self._directory = Directory(path)
        self._config = configs.load(self._directory.config, GatewayConfig)

    def __enter__(self) -> "StoppedGateway":
        with ExitStack() as stack:
            stack.enter_context(Hold(self._directory.path, "prune"))
            rotate.settle(self._directory, self._config.origin)
            signer = self._directory.load_signer(self._config.origin)
            self._store, note, signed = self._directory.open_checked(signer)
            stack.callback(self._store.close)
            surroundings = Surroundings(self._directory)
            self._writer = LedgerWriter(
                self._store, signer, surroundings, self._config.ledger, Metrics()
            )
            self._writer.resume(signed, note)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def size(self) -> int:
        return self._writer.size

    def follow(self, order: Order) -> Part:
        size = self._writer.size
        limit = size if order.even_unforwarded else self._forwarded(size)
        look, left = self._store.read(lambda reader: pruning.follow(reader, order, limit))
        done = None
        if look.step is not None and not order.dry_run:
            done = pruning.commit(self._writer, look.step, order.why)
        return Part(
            *look.found,
            recorded_at=done.recorded_at if done else None,
            next_start=left.start if left else None,
            held_back=pruning.held_back(order, look, limit, size),
            erased=left is None and not order.dry_run and self._erased(),
        )

    def _forwarded(self, size: int) -> int:
        if self._config.forward is None:
            return size
        # a collector may have what this ledger has lost, or say so
        return min(self._store.read(lambda reader: cursor_of(reader.state(CURSOR))), size)

    def _erased(self) -> bool:
        while self._store.release(_RELEASE_PAGES):
            pass
        return self._store.empty_log(_LOG_WAIT_MS)


class RunningGateway:
    """Asked over HTTP, with an admin token. ConfigError where it does not do as it is told."""

    def __init__(self, url: str, token: str) -> None:
        if not token:
            raise ConfigError(
                "a running gateway prunes for an admin token only",
                "give --token-file; `tallystick token add NAME --scope admin` makes one",
            )
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)

    def __enter__(self) -> "RunningGateway":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def size(self) -> int:
        return int(self._ask("GET", "/stats").get("size", 0))

    def follow(self, order: Order) -> Part:
        answer = self._ask("POST", "/prunes", content=msgspec.json.encode(order))
        return msgspec.convert(answer, Part)

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **request)
            answer = response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ConfigError(
                f"{self._client.base_url} does not answer: {error}",
                "is the gateway running there? A stopped one is pruned by its directory",
            ) from error
        if response.status_code != 200:
            raise ConfigError(
                f"the gateway refuses: {answer.get('detail', response.reason_phrase)}",
                "see `tallystick prune --help`",
            )
        return dict(answer)
