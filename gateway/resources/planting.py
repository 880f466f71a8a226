"""The resource tree of a configuration, with its quotas."""

from collections.abc import Callable

from gateway.config import GatewayConfig
from gateway.integrity import Integrity
from gateway.ledger.changes import Limits
from gateway.resources.memory import NONCE_BYTES, MemoryTree
from gateway.resources.tree import ResourceTree
from gateway.sequencer import Sequencer
from gateway.store import Store

_BUDGET_SHARE = 4  # of retention.max_bytes: what stands is never deleted for its age or size


def planted(
    config: GatewayConfig,
    store: Store,
    sequencer: Sequencer,
    integrity: Integrity,
    random: Callable[[int], bytes],
) -> ResourceTree:
    given = config.resources
    memory = Limits(given.max_resource_bytes, given.memory_resources, given.memory_bytes)
    return ResourceTree(
        store,
        sequencer.submit,
        integrity,
        MemoryTree(memory, random(NONCE_BYTES)),
        durable_limits(config),
    )


def durable_limits(config: GatewayConfig) -> Limits:
    given, max_bytes = config.resources, config.retention.max_bytes
    total_bytes = given.durable_bytes
    if max_bytes is not None:
        total_bytes = min(total_bytes, max_bytes // _BUDGET_SHARE)
    return Limits(given.max_resource_bytes, given.durable_resources, total_bytes)
