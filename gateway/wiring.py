"""The gateway's parts, wired: the one place that names concrete classes."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, closing
from typing import Any

from starlette.routing import Route

from gateway import tokens
from gateway.anchor.anchoring import Anchoring
from gateway.anchor.anchors import Anchors
from gateway.anchor.quorum import policy_of
from gateway.anchor.rounds import Rounds
from gateway.anchor.standing import Standing
from gateway.anchor.view import Shown
from gateway.coap import server as coap
from gateway.coap.surface import Behind
from gateway.config import (
    AnchorConfig,
    DiskConfig,
    ForwardConfig,
    GatewayConfig,
    RetentionConfig,
)
from gateway.control.desk import Desk
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.feed import Feed
from gateway.forward.outbox import ForwardOutbox
from gateway.forward.upstream import Upstream, upstream_of
from gateway.forward.view import LedgerView
from gateway.forward.worker import CURSOR, ForwardWorker, cursor_of
from gateway.http import server as http
from gateway.http.auth import Guard
from gateway.http.events import EventRoutes
from gateway.http.proofs import ProofRoutes
from gateway.http.prunes import PruneRoutes
from gateway.http.status import Facts, StatusRoutes
from gateway.http.tiles import TileRoutes
from gateway.http.witness import WitnessRoutes
from gateway.integrity import Integrity
from gateway.ledger import rotation
from gateway.ledger.budget import Budget, divided
from gateway.ledger.proofs import ReceiptSigner
from gateway.ledger.retention import Retention
from gateway.ledger.signer import Signer
from gateway.ledger.start import ANCHORED
from gateway.ledger.writer import CLOCK_FLOOR_MS, LedgerWriter
from gateway.members import Members
from gateway.metrics import Metrics
from gateway.pruner import Pruner
from gateway.registry import Registry
from gateway.resources.planting import planted
from gateway.retention import Known, RetentionWorker
from gateway.sequencer import Sequencer
from gateway.space import Space
from gateway.stop import Failed
from gateway.store.control import ControlStore
from gateway.store.files import remove_durable
from gateway.store.keys import KeyStore
from gateway.store.reserve import Reserve
from gateway.surroundings import Surroundings
from gateway.watch import Watch
from gateway.witness import files as witnesses
from gateway.witness.trust import Neighbours
from gateway.witness.witness import Witness
from protocol.policy import Policy


class Gateway:
    """Made on a running event loop, in a directory that is held; `close` after `sequencer.stop`.

    RolledBackError and ConfigError where the directory must not be used; nothing is open then.
    """

    def __init__(
        self,
        directory: Directory,
        config: GatewayConfig,
        signer: Signer,
        failed: Failed,
    ) -> None:
        self._config = config
        self._budget = _budget(config)
        self._signer = signer
        self._tokens = tokens.load(directory.tokens)
        self._guard = Guard(config.http, self._tokens)
        self._surroundings = Surroundings(directory)
        self.metrics = Metrics()
        policy, upstream = _policy(config), upstream_of(config.forward)
        with ExitStack() as opened:
            signed = self._open(directory, opened)
            self._opened = opened.pop_all()
        self.feed = Feed(self.writer.size, signed)
        self._reserve = self._reserving(directory, config.disk)
        self.watch = Watch(self.writer, self._reserve, config.disk, self.metrics)
        self.sequencer = Sequencer(
            self.writer, self.feed, self.metrics, config.ledger, self.watch, failed
        )
        self.integrity = Integrity(self.metrics, self.sequencer.submit)
        self.registry = Registry()
        self.members = Members(self._keys, self.registry, self.sequencer)
        self.desk = Desk(self._control, self.sequencer, unix_ms=self._surroundings.unix_ms)
        self.anchoring = (
            self._anchoring(config.anchor, policy) if config.anchor and policy else None
        )
        self.forward = (
            self._forwarding(config.forward, upstream) if config.forward and upstream else None
        )
        self._pruner, self.retention = self._retention(config.retention)
        sources = self._store, self.sequencer, self.integrity, self._surroundings.random
        self.resources = planted(config, *sources)
        self.resources.on_superseded = self.retention.superseded

    def greetings(self) -> list[Callable[[float], Coroutine[Any, Any, None]]]:
        """Those to ask, before anything is signed, what they remember of us."""
        return [part.greet for part in (self.forward, self.anchoring) if part]

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What runs beside the doors, as long as they do."""
        forwarding = [self.forward.run()] if self.forward else []
        anchoring = self.anchoring.works() if self.anchoring else []
        return [self.retention.run(), self.desk.watch(), *forwarding, *anchoring]

    def close(self) -> None:
        self._opened.close()

    def coap_door(self) -> AbstractAsyncContextManager[None]:
        parts = self.members, self.sequencer, self.metrics, self._tokens, self.writer.newest_ms
        behind = Behind(*parts, self._surroundings, self._time_ms, self.resources, self.desk)
        return coap.serving(self._config.coap, behind)

    def http_door(self, failed: Failed) -> AbstractAsyncContextManager[int]:
        events = EventRoutes(self._store, self.feed, self._guard, self.integrity)
        standing = self.anchoring.standing if self.anchoring else None
        status = StatusRoutes(
            self._store,
            self._guard,
            self.metrics,
            self._facts,
            sections={
                "anchor": standing.section if standing else lambda: None,
                "disk": self.watch.status,
                "integrity": self.integrity.status,
                "retention": self.retention.status,
            },
            faults=[self.retention.faults, self.watch.faults, self.integrity.faults],
        )
        prunes = PruneRoutes(self._store, self._pruner, self._guard, known=self._known)
        routes = [*events.routes, *status.routes, *self._proof_routes(), *prunes.routes]
        if self._witness:
            routes += WitnessRoutes(self._witness, self._guard.check, self.metrics).routes
        return http.serving(self._config.http, http.application(routes), failed)

    def _open(self, directory: Directory, opened: ExitStack) -> int:
        """The files, checked; how much of the ledger is signed."""
        config = self._config
        self._witness = self._witnessing(directory, config.witness.trust)
        if self._witness:
            opened.callback(self._witness.close)
        remove_durable(directory.reserve)  # a start on a full disk needs it; see `Watch`
        self._keys = opened.enter_context(closing(KeyStore(directory.keys)))
        self._control = opened.enter_context(closing(ControlStore(directory.control)))
        self._store, note, signed = directory.open_checked(self._signer)
        opened.callback(self._store.close)
        if self._budget is not None:
            self._store.limit_pages(self._budget.file_pages)
            self._store.limit_log(self._budget.log_bytes)
        self.writer = LedgerWriter(
            self._store, self._signer, self._surroundings, config.ledger, self.metrics
        )
        self.writer.resume(signed, note)
        return signed

    def _proof_routes(self) -> list[Route]:
        proofs = ProofRoutes(
            self._store,
            self._guard,
            self.integrity,
            lambda: self.writer.note,
            ReceiptSigner(self._signer),
            note_over=self._note_over,
        )
        tiles = TileRoutes(self._store, self._guard, lambda: self.writer.signed_size)
        return [*proofs.routes, *tiles.routes]

    def _witnessing(self, directory: Directory, trust: Sequence[str]) -> Witness | None:
        neighbours = Neighbours(trust)
        witness = witnesses.opened(directory.path, neighbours.signers, self._surroundings.unix_ms)
        if trust and witness is None:
            raise ConfigError(
                f"{directory.path} has no witness.key to cosign with",
                "run `tallystick new-witness DIR`, or delete [witness] trust",
            )
        return witness

    def _reserving(self, directory: Directory, config: DiskConfig) -> Reserve:
        max_pages = self._budget.file_pages if self._budget else None
        return Reserve(directory.reserve, config.reserve_bytes, self._store, max_pages)

    def _forwarding(self, config: ForwardConfig, upstream: Upstream) -> ForwardWorker:
        held = self._store.read(lambda reader: reader.state(CURSOR))
        worker = ForwardWorker(
            LedgerView(self._store, self._signer, lambda: self.writer.note),
            upstream,
            ForwardOutbox(cursor_of(held), config),
            self.feed,
            self.metrics,
            remember=self.sequencer.remember,
        )
        worker.on_waiting = self.integrity.waiting
        if self.anchoring:
            worker.on_cosigned = self.anchoring.heard
        return worker

    def _anchoring(self, config: AnchorConfig, policy: Policy) -> Anchoring:
        keys = self._store.read(lambda reader: rotation.held_keys(reader, self._signer))
        anchors = Anchors(policy, keys, self.metrics, self.sequencer.remember)
        held = self._store.read(lambda reader: reader.state(ANCHORED))
        anchors.restore((held or b"").decode(errors="replace"))
        shown = Shown(self._store, keys, self._config.origin)
        rounds = Rounds(lambda: self.writer.note, self.feed, config.every_ms)
        standing = Standing(
            anchors,
            shown,
            lambda: self.writer.size,
            self._surroundings.unix_ms,
            self.metrics.registry,
        )
        return Anchoring(policy, shown, anchors, rounds, standing)

    def _note_over(self, index: int) -> str:
        """The checkpoint to prove entry `index` with."""
        newest = self.writer.note
        return self.anchoring.anchors.over(index, newest) if self.anchoring else newest

    def _retention(self, config: RetentionConfig) -> tuple[Pruner, RetentionWorker]:
        space = Space(
            self._store,
            self._budget,
            self.metrics,
            disk_free_bytes=self._reserve.disk_free_bytes,
        )
        pruner = Pruner(self._store, self.sequencer, space, self.metrics)
        worker = RetentionWorker(
            self._store,
            Retention(config, self._budget),
            pruner,
            space,
            known=self._known,
            remember=self.sequencer.remember,
        )
        return pruner, worker

    def _known(self) -> Known:
        size = self.writer.size
        forwarded = min(self.forward.cursor, size) if self.forward else size
        return Known(size, forwarded, self._time_ms(), self.watch.wanted_bytes)

    def _time_ms(self) -> int:
        """Unix ms for devices; 0 where this clock is not to be trusted."""
        now_ms = self._surroundings.unix_ms()
        return now_ms if self.writer.clock_trusted and now_ms >= CLOCK_FLOOR_MS else 0

    def _facts(self) -> Facts:
        anchors = self.anchoring.anchors if self.anchoring else None
        return Facts(
            origin=self._config.origin,
            size=self.writer.size,
            signed_size=self.writer.signed_size,
            note=anchors.dressed(self.writer.note) if anchors else self.writer.note,
            anchored=anchors.note if anchors else "",
            pending=self.sequencer.pending,
            heartbeat=self.sequencer.heartbeat,
            failing=self.writer.failing,
            clock_trusted=self.writer.clock_trusted,
            forward=self.forward.status() if self.forward else None,
        )


def _budget(config: GatewayConfig) -> Budget | None:
    max_bytes = config.retention.max_bytes
    return None if max_bytes is None else divided(max_bytes, config.ledger.max_batch)


def _policy(config: GatewayConfig) -> Policy | None:
    if config.anchor is None:
        return None
    return policy_of(config.anchor, collector=config.forward is not None)
