"""The gateway's and the collector's counters, in a registry of their own (no globals)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.outcomes = Counter(
            "tallystick_requests",
            "Requests by door and outcome (the reasons of gateway.errors.ANSWERS)",
            ["door", "outcome"],
            registry=registry,
        )
        self.datagrams = Counter(
            "tallystick_datagrams",
            "CoAP datagrams that reached no resource, by what became of them",
            ["fate"],
            registry=registry,
        )
        self.entries = Gauge("tallystick_entries", "Entries in the ledger", registry=registry)
        self.signed = Gauge("tallystick_signed", "Entries under a checkpoint", registry=registry)
        self.pending = Gauge("tallystick_pending", "Waiting for the writer", registry=registry)
        self.commit_seconds = Histogram(
            "tallystick_commit_seconds",
            "One transaction, sync included",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=registry,
        )
        self.clock_steps = Counter(
            "tallystick_clock_suspect",
            "Batches received while the clock was unset or had gone back",
            registry=registry,
        )
        self.checkpoint_failures = Counter(
            "tallystick_checkpoint_failures", "Checkpoints not written", registry=registry
        )
        self.damaged = Gauge(
            "tallystick_damaged_entries",
            "Entries that are not what was committed, of those that somebody asked for",
            registry=registry,
        )
        self.coap = CoapMetrics(registry)
        self.signatures = SignatureMetrics(registry)
        self.space = SpaceMetrics(registry)
        self.peers = PeerMetrics(registry)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class CoapMetrics:
    """What the CoAP door was asked for besides readings, and what went wrong inside of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "tallystick_coap_answers",
            "Answers by method and class of code, each block one; readings take another way",
            ["method", "code"],
            registry=registry,
        )
        self.updates = Counter(
            "tallystick_updates_begun",
            "Manifests of releases that a device began to fetch",
            ["version"],
            registry=registry,
        )
        self.mishaps = Counter(
            "tallystick_mishaps",
            "Errors that nobody foresaw, in work that went on all the same",
            ["where"],
            registry=registry,
        )


class SignatureMetrics:
    """The queue before the processes that check devices' signatures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.waiting = Gauge(
            "tallystick_signatures_waiting", "Signatures not checked yet", registry=registry
        )
        self.lost = Counter(
            "tallystick_signature_workers_lost",
            "Processes that check signatures, and died or did not answer",
            registry=registry,
        )


class SpaceMetrics:
    """What the ledger takes, and what was deleted of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ledger_bytes = Gauge(
            "tallystick_ledger_bytes",
            "Taken by the ledger: used and free space in the file, and the log beside it",
            ["part"],
            registry=registry,
        )
        self.disk_free = Gauge(
            "tallystick_disk_free_bytes", "Free on the ledger's file system", registry=registry
        )
        self.days_left = Gauge(
            "tallystick_days_left",
            "Until no more can be kept, if nothing is deleted; +Inf where nothing comes in",
            registry=registry,
        )
        self.pruned_bodies = Counter(
            "tallystick_pruned_bodies", "Bodies deleted", ["why"], registry=registry
        )
        self.pruned_bytes = Counter(
            "tallystick_pruned_bytes", "Bytes of bodies deleted", ["why"], registry=registry
        )


class PeerMetrics:
    """What a collector and witnesses have taken, and what they said."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.forward_cursor = Gauge(
            "tallystick_forward_cursor", "Next index to forward", registry=registry
        )
        self.forward_failures = Counter(
            "tallystick_forward_failures", "Batches not accepted", ["reason"], registry=registry
        )
        self.cosignatures = Counter(
            "tallystick_cosignatures",
            "What witnesses said of our checkpoints, and why they did not",
            ["witness", "outcome"],
            registry=registry,
        )
