"""Telling: the agent's events that come once, loaded for them and forgotten."""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent


_COLLECT_EVERY_BYTES, _SHARE, _LEFT_ALONE_BYTES = 4096, 8, 65_536


def started(agent: "Agent") -> None:
    """All is in memory: from here on a heap that has room is collected less often.

    A signature made whole makes 0.2 MB of garbage, and a collection takes an RP2040 10 ms. An
    eighth of what is free leaves the holes in a small heap as they are; in a large one it may be
    all but what is left alone.
    """
    agent.report(
        "started",
        name=agent.identity.name,
        profile=agent.identity.profile,
        epoch=agent.identity.epoch,
        interpreter=sys.implementation.name,
        board=agent.board.name,
        keep=agent.settings.keep,
        loss_window_ms=agent.outbox.loss_window_ms(agent.settings.ack_timeout_ms),
        waiting_bytes=agent.outbox.used_bytes,
        heap_bytes=agent.board.heap_bytes(),
    )
    if hasattr(gc, "mem_free"):
        free = gc.mem_free()
        gc.threshold(max(_COLLECT_EVERY_BYTES, free // _SHARE, free - _LEFT_ALONE_BYTES))


def totals(agent: "Agent") -> dict[str, int]:
    """What this start did, for its last event."""
    return {
        "sampled": agent.sampler.sampled,
        "sealed": agent.packer.sequence,
        "kept": agent.uplink.kept,
        "dropped": agent.outbox.dropped,
        "quarantined": agent.outbox.quarantined,
        "read_errors": agent.sampler.read_errors,
        "retransmissions": agent.endpoint.retransmissions,
        "heap_bytes": agent.board.heap_bytes(),
    }
