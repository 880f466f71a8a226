"""Multiples of P-256's base point (SP 800-186 §3.2.1.3), from a table of 128 of them.

A signed comb: every digit is 1 or -1, never 0, so each multiple takes the same steps, one point
from the table, 43 additions and 10 doublings. Python's integers still take their own time.
Generators, so that a board may do other things between two steps.
"""

from protocol.errors import FaultError

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

# Bit `tooth * 44 + block * 11 + column` of a scalar: 6 teeth, read at once; 4 blocks, with 32
# points each (the top tooth is the sign); 11 columns.
TEETH, BLOCKS, COLUMNS = 6, 4, 11
POINTS_PER_BLOCK = 1 << TEETH - 1
POINT_BYTES = 64
TABLE_BYTES = BLOCKS * POINTS_PER_BLOCK * POINT_BYTES
_TOOTH_BITS = BLOCKS * COLUMNS
_ALL_BITS = (1 << TEETH * _TOOTH_BITS) - 1
# As many divisions as take a board about the time of one addition of points.
_DIVISIONS_PER_STEP = 24

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeVar

    Made = TypeVar("Made")
    # x ‖ y of a point of the table, by its number
    Read = Callable[[int], bytes | bytearray]
    # X, Y, ZZ, ZZZ: x is X / ZZ and y is Y / ZZZ, where ZZ**3 is ZZZ**2
    Point = tuple[int, int, int, int]


def finished(steps: "Generator[None, None, Made]") -> "Made":
    """What the steps make, all taken at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Made = end.value
            return made


def multiple(scalar: int, read: "Read", blind: int) -> "Generator[None, None, Point]":
    """`scalar` times the base point; `read` gives the 64 bytes x ‖ y of a point of the table.

    `blind`, random and from 1 to P - 1, hides the numbers that the steps work on. FaultError
    where the point is not on the curve: a damaged table, a flipped bit.
    """
    # The digits are those of 2 * half - _ALL_BITS, which is the scalar modulo N; bytes of half,
    # because every shift of a large number is another one.
    scalar = (scalar + _ALL_BITS) % N
    half = (scalar + N * (scalar & 1) >> 1).to_bytes(TEETH * _TOOTH_BITS // 8, "little")
    scalar = 0
    point = None
    for column in range(COLUMNS - 1, -1, -1):
        if point is not None:
            point = doubled(*point)
            yield
        for block in range(BLOCKS):
            x, y = _looked_up(half, block, column, read)
            if point is None:
                zz = blind * blind % P
                zzz = zz * blind % P
                point = x * zz % P, y * zzz % P, zz, zzz
                blind = zz = zzz = 0
            else:
                point = added(*point, x, y)
            x = y = 0  # a board keeps what is in a name until it is in another, however long
            yield
    if point is None or not _is_on_curve(*point):
        raise FaultError("a point that is not on the curve")
    return point


def inverse(number: int, modulus: int) -> "Generator[None, None, int]":
    """1 / number. Its time tells of `number`: whoever calls blinds it.

    Euclid's: pow(number, -1, modulus) is silently 0 on MicroPython, and Fermat's takes five times
    as long there.
    """
    yield  # checking the point before was as much as a step
    this, last, here, there = number % modulus, modulus, 1, 0
    divisions = 0
    while this:
        quotient = last // this
        last, this, there, here = this, last - quotient * this, here, there - quotient * here
        divisions += 1
        if divisions % _DIVISIONS_PER_STEP == 0:
            yield
    if last != 1:
        raise FaultError("a number that has no inverse")
    return there % modulus


def _looked_up(half: bytes, block: int, column: int, read: "Read") -> tuple[int, int]:
    """The point for the six digits of a column of a block."""
    index = 0
    top = (TEETH - 1) * _TOOTH_BITS + block * COLUMNS + column
    for bit in range(top, -1, -_TOOTH_BITS):
        index = index << 1 | half[bit >> 3] >> (bit & 7) & 1
    # The table has those whose top digit is 1; the others are their negatives. Both are made.
    positive = index >> TEETH - 1
    index = (index ^ (POINTS_PER_BLOCK - 1, 0)[positive]) & POINTS_PER_BLOCK - 1
    entry = read(block * POINTS_PER_BLOCK + index)
    y = int.from_bytes(entry[32:], "big")
    return int.from_bytes(entry[:32], "big"), (P - y, y)[positive]


def added(x: int, y: int, zz: int, zzz: int, other_x: int, other_y: int) -> "Point":
    """With a point from the table: 10 multiplications (hyperelliptic.org, madd-2008-s)."""
    width = other_x * zz % P - x
    height = other_y * zzz % P - y
    square = width * width % P
    cube = width * square % P
    q = x * square % P
    x = (height * height - cube - q - q) % P
    return x, (height * (q - x) - y * cube) % P, zz * square % P, zzz * cube % P


def doubled(x: int, y: int, zz: int, zzz: int) -> "Point":
    """9 multiplications, as a is -3 (hyperelliptic.org, dbl-2008-s-1)."""
    twice = y + y
    square = twice * twice % P
    cube = twice * square % P
    s = x * square % P
    slope = (x - zz) * (x + zz) * 3 % P
    x = (slope * slope - s - s) % P
    return x, (slope * (s - x) - cube * y) % P, square * zz % P, cube * zzz % P


def _is_on_curve(x: int, y: int, zz: int, zzz: int) -> bool:
    """y² = x³ - 3x + b, and ZZ³ = ZZZ² is not 0."""
    fourth, sixth = zz * zz % P, zzz * zzz % P
    if zz == 0 or (fourth * zz - sixth) % P:
        return False
    return ((x * x - 3 * fourth) % P * x + sixth * B - y * y) % P == 0
