"""One block of a representation, cut from what it is now (RFC 7959)."""

import pytest

from gateway.coap import blocks
from gateway.coap.blocks import Block
from gateway.coap.requests import BLOCK2, CONTENT, GET, POST, SIZE2, Response, uint
from protocol.errors import MalformedError
from tests.gateway.asking import asked

BODY = bytes(range(256)) * 10  # 2560 bytes

# RFC 7959 §3's own examples: num/more/size, and the option's value
SPELLINGS = {
    "2:0/0/64": (Block(0, False, 2), "02"),
    "2:0/1/128": (Block(0, True, 3), "0b"),
    "2:1/0/64": (Block(1, False, 2), "12"),
    "2:2/0/1024": (Block(2, False, 6), "26"),
    "0/0/16": (Block(0, False, 0), ""),
    "the last there is": (Block((1 << 20) - 1, True, 6), "fffffe"),
}


@pytest.mark.parametrize(("block", "spelt"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_block_has_one_spelling(block, spelt):
    assert blocks.encode(block).hex() == spelt
    assert blocks.decode(bytes.fromhex(spelt)) == block


@pytest.mark.parametrize("spelt", ["07", "0f", "17", "00000002"])
def test_a_size_of_seven_and_a_fourth_byte_are_refused(spelt):
    with pytest.raises(MalformedError):
        blocks.decode(bytes.fromhex(spelt))


def get(block=None, *, size2=False):
    options = [] if block is None else [(BLOCK2, blocks.encode(block))]
    return asked(GET, "home/a", options=options + ([(SIZE2, b"")] if size2 else []))


def cut(request, body=BODY, **more):
    """The block of the answer, its bytes, and the Size2 that it tells."""
    response = blocks.cut(Response(CONTENT, [], body), request, **more)
    value = response.first(BLOCK2)
    block = None if value is None else blocks.decode(value)
    return block, response.payload, response.number(SIZE2)


# what is asked for, the block of the answer, where it starts and ends
CUTS = {
    "nothing said": (None, Block(0, True, 6), 0, 1024),
    "the first, small": (Block(0, False, 2), Block(0, True, 2), 0, 64),
    "one in the middle": (Block(3, False, 2), Block(3, True, 2), 192, 256),
    "the second, large": (Block(1, False, 6), Block(1, True, 6), 1024, 2048),
    "the last": (Block(2, False, 6), Block(2, False, 6), 2048, 2560),
    "the last of equal ones": (Block(39, False, 2), Block(39, False, 2), 2496, 2560),
    "more is nothing in a request": (Block(1, True, 6), Block(1, True, 6), 1024, 2048),
}


@pytest.mark.parametrize(("wanted", "told", "start", "end"), CUTS.values(), ids=CUTS)
def test_a_block_is_what_was_asked_for_and_says_whether_more_follow(wanted, told, start, end):
    block, payload, _ = cut(get(wanted))

    assert block == told
    assert payload == BODY[start:end]


def test_all_blocks_together_are_the_body_in_every_size():
    for exponent in range(7):
        count = -(-len(BODY) // (16 << exponent))
        parts = [cut(get(Block(n, False, exponent)))[1] for n in range(count)]

        assert b"".join(parts) == BODY


@pytest.mark.parametrize("size", [0, 1, 1024])
def test_what_fits_into_a_block_goes_whole_and_without_the_option(size):
    assert cut(get(), bytes(size)) == (None, bytes(size), None)


def test_a_block_of_what_is_smaller_is_all_of_it():
    assert cut(get(Block(0, False, 6)), b"abc") == (Block(0, False, 6), b"abc", 3)
    assert cut(get(Block(0, False, 6)), b"") == (Block(0, False, 6), b"", 0)


@pytest.mark.parametrize(
    "block", [Block(3, False, 6), Block(40, False, 2), Block(1 << 19, False, 6)]
)
def test_a_block_past_the_end_is_a_bad_request(block):
    with pytest.raises(MalformedError):
        cut(get(block))


def test_the_size_is_told_with_the_first_block_and_whenever_it_is_asked_for():
    assert cut(get(Block(0, False, 2)))[2] == len(BODY)
    assert cut(get(Block(1, False, 2)))[2] is None
    assert cut(get(Block(1, False, 2), size2=True))[2] == len(BODY)


def test_a_smaller_limit_cuts_at_the_same_place_under_another_number():
    block, payload, _ = cut(get(Block(1, False, 6)), max_exponent=2)

    assert (block, payload) == (Block(16, True, 2), BODY[1024 : 1024 + 64])


def test_a_limit_leaves_a_smaller_wish_alone():
    assert cut(get(Block(5, False, 0)), max_exponent=2)[0] == Block(5, True, 0)


def test_only_what_a_get_brings_is_cut_since_nothing_else_can_be_asked_for_twice():
    request = asked(POST, "home/a", options=[(BLOCK2, uint(2))])

    assert blocks.cut(Response(0x44, [], BODY), request).payload == BODY
    assert blocks.cut(Response(0x84, [], BODY), get(Block(0, False, 2))).payload == BODY
