"""Nonces: a signing device that used one twice has given its key away (FIPS 186-5 §A.2.1).

ECDSA's r follows from the nonce alone, so the same r over two digests shows it, to us and to
whoever has both envelopes. Bounded: of the last 32,768 to 65,536 signatures, by all devices.
"""

from gateway.coap.table import Table

PER_GENERATION = 1 << 15  # 1 MB each, taken with its first signature
_KEY_MASK = (1 << 64) - 1


class Nonces:
    def __init__(self, *, per_generation: int = PER_GENERATION) -> None:
        self._per_generation = per_generation
        self._tables = [Table(per_generation), Table(per_generation)]

    def is_reused(self, kid: bytes, r: bytes, digest: bytes) -> bool:
        """Whether this device has used r for another digest; remembers it for this one."""
        # Python's hash of bytes is keyed anew at each start: nobody can crowd one place
        key = hash((kid, r)) & _KEY_MASK or 1
        said = int.from_bytes(digest[:8], "big")
        for table in self._tables:
            held = table.get(key)
            if held is not None:
                return held != said
        if not self._tables[0].put(key, said):
            self._tables = [Table(self._per_generation), self._tables[0]]
            self._tables[0].put(key, said)
        return False
