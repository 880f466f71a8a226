"""What hypothesis draws from, and the two ways to damage bytes that every decoder must survive."""

from collections.abc import Iterator

from hypothesis import strategies as st

from protocol.cbor import decimal
from protocol.limits import MAX_MANTISSA
from protocol.senml import Reading

u32 = st.integers(0, 0xFFFFFFFF)
u63 = st.integers(0, MAX_MANTISSA)
hashes = st.binary(min_size=32, max_size=32)

decimals = st.builds(
    decimal, st.integers(-MAX_MANTISSA, MAX_MANTISSA), st.integers(min_value=-18, max_value=-1)
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.binary(max_size=40),
    st.text(max_size=40),
    decimals,
)
keys = st.integers(-1000, 1000) | st.text(max_size=5)
# two levels around a decimal, which has three of its own
values = scalars
for _ in range(2):
    values = st.one_of(
        scalars, st.lists(values, max_size=4), st.dictionaries(keys, values, max_size=4)
    )

origins = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="+"),
    min_size=1,
    max_size=40,
)
_letters = st.characters(min_codepoint=0x20, max_codepoint=0x7E, categories=("Ll", "Lu", "Nd"))
names = st.builds(
    "{}{}".format, _letters, st.text(_letters | st.sampled_from("-:./_"), max_size=20)
)
measured = st.one_of(
    st.booleans(),
    st.integers(-MAX_MANTISSA, MAX_MANTISSA),
    st.binary(max_size=20),
    st.text(max_size=20),
    decimals,
)
times = st.integers(-(10**12), 1 << 62)
readings = st.builds(Reading, names, st.sampled_from(["", "Cel", "%RH"]), measured, times)


def prefixes(data: bytes) -> Iterator[bytes]:
    for end in range(len(data)):
        yield data[:end]


def changed_bytes(data: bytes) -> Iterator[bytes]:
    """`data` with each byte changed in three ways: lowest bit, highest bit, all bits."""
    for index, byte in enumerate(data):
        for flip in (0x01, 0x80, 0xFF):
            yield data[:index] + bytes((byte ^ flip,)) + data[index + 1 :]
