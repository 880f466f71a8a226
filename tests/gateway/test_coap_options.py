"""Every option that requests may have: each length, each repetition, each text."""

import pytest

from gateway.coap import options
from gateway.coap.options import KNOWN, fits, is_critical

RULES = pytest.mark.parametrize(("number", "rule"), KNOWN.items(), ids=str)
# RFC 7252 §5.10: the table of options, with RFC 7641, 7959, 8613, 9175, 7967 and 8768.
CRITICAL = {1, 3, 5, 7, 9, 11, 15, 17, 23, 27, 35, 39, 65001}
REPEATING = {1, 4, 11, 15, 292}


@RULES
def test_all_lengths_from_shortest_to_longest_fit_and_no_others(number, rule):
    lengths = [n for n in range(rule.longest + 2) if fits(number, b"a" * n, -1)]

    assert lengths == list(range(rule.shortest, rule.longest + 1))


@RULES
def test_text_is_utf8_and_all_else_is_any_bytes(number, rule):
    value = b"\xff" * max(rule.shortest, min(1, rule.longest))

    assert fits(number, value, -1) == (not rule.text or not value)


def test_what_repeats_and_what_is_critical():
    repeating = {n for n, rule in KNOWN.items() if fits(n, b"a" * rule.shortest, n)}

    assert repeating == REPEATING
    assert {n for n in KNOWN if is_critical(n)} == CRITICAL


@pytest.mark.parametrize("number", [0, 2, 8, 10, 13, 20, 99, 9999, 65535])
def test_a_number_nobody_gave_a_meaning_never_fits(number):
    assert not fits(number, b"", -1)


def test_what_asks_for_a_proxy_is_known_to_be_refused():
    assert {options.PROXY_URI, options.PROXY_SCHEME} == set(options.PROXYING)
