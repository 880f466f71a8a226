"""Ed25519 verification in plain integers (RFC 8032 §5.1.7), for interpreters that have none.

An oracle for vectors: slow, not constant in time, and near to the text it follows. SHA-512
is in here too (FIPS 180-4 §6.4), since firmware has only SHA-256.
"""

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
WORD = (1 << 64) - 1


def verify(public, signature, message):
    """Whether `signature` (64 bytes) is that of `message` under `public` (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = decompress(public), decompress(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public + message), "little") % ORDER
    left, right = times(scalar, BASE), add(commitment, times(challenge, key))
    # equal as fractions: x1/z1 = x2/z2 and y1/z1 = y2/z2
    return not any((left[i] * right[2] - right[i] * left[2]) % P for i in (0, 1))


def decompress(data):
    """The point of its 32 bytes (§5.1.3), in extended coordinates; None where there is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (not x and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def add(one, other):
    """§5.1.4."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def root(number, degree):
    """The integer part of a root, by bisection."""
    low, high = 0, 1 << 80
    while high - low > 1:
        middle = (low + high) // 2
        if middle**degree <= number:
            low = middle
        else:
            high = middle
    return low


def primes(count):
    found = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


# FIPS 180-4 §4.2.3, §5.3.5: fractions of cube and square roots of the first primes
ROUNDS = [root(prime << 192, 3) & WORD for prime in primes(80)]
START = [root(prime << 128, 2) & WORD for prime in primes(8)]


def turned(word, by):
    return (word >> by | word << (64 - by)) & WORD


def sha512(message):
    length = len(message)
    padded = message + b"\x80" + bytes(-(length + 17) % 128) + (length * 8).to_bytes(16, "big")
    state = START
    for at in range(0, len(padded), 128):
        state = compress(state, padded[at : at + 128])
    return b"".join([word.to_bytes(8, "big") for word in state])


def compress(state, block):
    words = [int.from_bytes(block[at : at + 8], "big") for at in range(0, 128, 8)]
    for at in range(16, 80):
        w15, w2 = words[at - 15], words[at - 2]
        small0 = turned(w15, 1) ^ turned(w15, 8) ^ w15 >> 7
        small1 = turned(w2, 19) ^ turned(w2, 61) ^ w2 >> 6
        words.append((words[at - 16] + small0 + words[at - 7] + small1) & WORD)
    a, b, c, d, e, f, g, h = state
    for at in range(80):
        big1 = turned(e, 14) ^ turned(e, 18) ^ turned(e, 41)
        first = h + big1 + (e & f ^ ~e & g & WORD) + ROUNDS[at] + words[at]
        big0 = turned(a, 28) ^ turned(a, 34) ^ turned(a, 39)
        second = big0 + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (
            (first + second) & WORD, a, b, c, (d + first) & WORD, e, f, g,
        )  # fmt: skip
    return [(old + new) & WORD for old, new in zip(state, (a, b, c, d, e, f, g, h))]  # noqa: B905 (firmware has no strict=)
