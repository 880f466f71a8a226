import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import tile
from protocol.errors import MalformedError, TooLargeError
from protocol.tile import Tile
from tests.protocol import strategies

tiles = st.builds(Tile, st.integers(-1, 63), strategies.u63, st.integers(1, 256))
leaves = st.lists(st.binary(max_size=20), max_size=256)


def _found(path):
    try:
        return tile.parse_path(path)
    except MalformedError:
        return None


@given(tiles)
def test_a_tile_has_one_path(shown):
    path = tile.format_path(shown)

    assert tile.parse_path(path) == shown
    for at, letter in enumerate(path):
        assert _found(path[:at] + path[at + 1 :]) != shown
        for other in "0 x/p.+":
            found = _found(path[:at] + other + path[at + 1 :])
            assert found is None or found != shown or other == letter


@given(st.text("tile/entriesx0123.p-", max_size=40))
def test_any_text_is_no_tile_or_its_one_path(text):
    for path in (text, f"tile/0/{text}", f"tile/{text}/000"):
        found = _found(path)
        assert found is None or tile.format_path(found) == path


@given(st.integers(0, 7), st.integers(0, 300), st.integers(1, 256), st.integers(0, 1 << 40))
def test_a_tile_fits_where_the_tree_has_every_entry_under_it(level, index, width, size):
    last_entry = (index * 256 + width) * 256**level  # the formula of the specification

    assert Tile(level, index, width).fits(size) == (last_entry <= size)


@given(leaves)
def test_a_bundle_holds_its_leaves(bundled):
    data = tile.encode_bundle(bundled)

    assert tile.decode_bundle(data) == bundled
    assert len(data) == sum(2 + len(leaf) for leaf in bundled)
    for end in range(len(data) - 2 - len(bundled[-1]) + 1 if bundled else 0, len(data)):
        with pytest.raises(MalformedError):
            tile.decode_bundle(data[:end])


def test_a_leaf_whose_length_has_no_two_bytes_is_in_no_bundle():
    assert len(tile.encode_bundle([bytes(65535)])) == 65537
    with pytest.raises(TooLargeError):
        tile.encode_bundle([bytes(65536)])
