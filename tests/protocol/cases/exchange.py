"""Exchanges as transcripts: what happened when, what is sent, and the state after it.

A step is [time in ms, event, outcome, state]. The event "due" asks what is to be sent.
"""

from typing import Any

SEND, WAIT, TAKEN, REFUSED = "send", "nothing", "taken", "out-of-state"
W, A, D, F = "waiting", "acked", "done", "failed"

TO_THE_END = [
    [0, "due", WAIT, W], [1999, "due", WAIT, W], [2000, "due", SEND, W], [2000, "due", WAIT, W],
    [5999, "due", WAIT, W], [6000, "due", SEND, W], [14000, "due", SEND, W],
    [29999, "due", WAIT, W], [30000, "due", SEND, W], [61999, "due", WAIT, W],
    [62000, "due", WAIT, F], [999999, "due", WAIT, F],
]  # fmt: skip

TRANSCRIPTS: dict[str, list[list[Any]]] = {
    "nobody answers: 2, 4, 8, 16 s, then 32 s of patience": TO_THE_END,
    "answered at once": [[30, "response", TAKEN, D], [2000, "due", WAIT, D]],
    "answered after two losses": [
        [2000, "due", SEND, W], [6000, "due", SEND, W], [6100, "response", TAKEN, D],
        [14000, "due", WAIT, D],
    ],
    "a separate response": [
        [50, "ack", TAKEN, A], [2000, "due", WAIT, A], [93049, "due", WAIT, A],
        [93049, "response", TAKEN, D],
    ],
    "a separate response that overtakes its ack": [
        [50, "response", TAKEN, D], [60, "ack", TAKEN, D], [2000, "due", WAIT, D],
    ],
    "an ack and then nothing": [
        [2000, "due", SEND, W], [2100, "ack", TAKEN, A], [95099, "due", WAIT, A],
        [95100, "due", WAIT, F],
    ],
    "a second ack does not buy more time": [
        [100, "ack", TAKEN, A], [50000, "ack", TAKEN, A], [93100, "due", WAIT, F],
    ],
    "late duplicates after the answer": [
        [100, "response", TAKEN, D], [200, "response", TAKEN, D], [300, "ack", TAKEN, D],
    ],
    "reset": [[100, "reset", TAKEN, F], [2000, "due", WAIT, F]],
    "reset after an ack": [[100, "ack", TAKEN, A], [200, "reset", TAKEN, F]],
    "nothing is heard after a reset": [
        [100, "reset", TAKEN, F], [200, "ack", REFUSED, F], [200, "response", REFUSED, F],
        [200, "reset", REFUSED, F], [200, "gave-up", REFUSED, F],
    ],
    "what was answered is not reset": [
        [100, "response", TAKEN, D], [200, "reset", REFUSED, D], [200, "gave-up", REFUSED, D],
    ],
    "the caller gives up": [[100, "gave-up", TAKEN, F], [2000, "due", WAIT, F]],
    "the caller gives up after an ack": [[100, "ack", TAKEN, A], [200, "gave-up", TAKEN, F]],
    "an event nobody knows": [[100, "timeout", REFUSED, W], [2000, "due", SEND, W]],
    "asked late, the next wait starts then": [
        [50000, "due", SEND, W], [53999, "due", WAIT, W], [54000, "due", SEND, W],
    ],
}  # fmt: skip


def cases() -> list[dict[str, Any]]:
    named = [{"name": name, "steps": steps} for name, steps in TRANSCRIPTS.items()]
    return [
        *named,
        {"name": "half the jitter", "jitter": 0.5, "steps": [
            [2499, "due", WAIT, W], [2500, "due", SEND, W], [7499, "due", WAIT, W],
            [7500, "due", SEND, W]]},
        {"name": "all the jitter", "jitter": 1, "steps": [
            [2999, "due", WAIT, W], [3000, "due", SEND, W], [9000, "due", SEND, W],
            [21000, "due", SEND, W], [45000, "due", SEND, W], [92999, "due", WAIT, W],
            [93000, "due", WAIT, F]]},
        {"name": "an impatient device", "limits": {"ack_timeout_ms": 100, "max_retransmit": 1},
         "steps": [
            [99, "due", WAIT, W], [100, "due", SEND, W], [299, "due", WAIT, W],
            [300, "due", WAIT, F]]},
        {"name": "an impatient device that is acknowledged",
         "limits": {"ack_timeout_ms": 100, "max_retransmit": 1}, "steps": [
            [50, "ack", TAKEN, A], [499, "due", WAIT, A], [500, "due", WAIT, F]]},
        {"name": "no second try", "limits": {"max_retransmit": 0}, "steps": [
            [1999, "due", WAIT, W], [2000, "due", WAIT, F]]},
    ]  # fmt: skip
