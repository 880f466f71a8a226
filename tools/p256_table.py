"""The table that signing on a board needs: 128 multiples of P-256's base point, 8 KiB.

Deterministic: made where it is needed, never shipped. `device.table_file` has its hash.
"""

from protocol import p256
from protocol.p256 import BLOCKS, COLUMNS, POINTS_PER_BLOCK, TEETH, P, finished

# The base point (SP 800-186 §3.2.1.3).
_GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def table() -> bytes:
    """Each point x ‖ y, 32 bytes each; block by block, by the digits of the five lower teeth."""
    powers = [_GENERATOR]
    while len(powers) < TEETH * BLOCKS * COLUMNS:
        powers.append(_added(powers[-1], powers[-1]))
    points = []
    for block in range(BLOCKS):
        teeth = [powers[(tooth * BLOCKS) * COLUMNS + block * COLUMNS] for tooth in range(TEETH)]
        for digits in range(POINTS_PER_BLOCK):
            point = teeth[-1]
            for tooth, (x, y) in enumerate(teeth[:-1]):
                point = _added(point, (x, y if digits >> tooth & 1 else P - y))
            points.append(point)
    return b"".join([x.to_bytes(32, "big") + y.to_bytes(32, "big") for x, y in points])


def _added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points, the same or different ones, neither the other's negative."""
    (x, y), (other_x, other_y) = one, other
    if one == other:
        slope = (3 * x * x - 3) * finished(p256.inverse(2 * y, P))
    else:
        slope = (other_y - y) * finished(p256.inverse(other_x - x, P))
    sum_x = (slope * slope - x - other_x) % P
    return sum_x, (slope * (x - sum_x) - y) % P
