"""The options of requests that we know: how long their values are, and whether they repeat.

A value of another length, or one too many, is treated like an option we do not know
(RFC 7252 §5.4.3, §5.4.5).
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """Lengths in bytes; `text` values have to be UTF-8 (RFC 7252 §3.2)."""

    shortest: int
    longest: int
    repeats: bool = False
    text: bool = False


IF_MATCH, URI_HOST, ETAG, IF_NONE_MATCH = 1, 3, 4, 5
OBSERVE, URI_PORT, OSCORE, URI_PATH = 6, 7, 9, 11
CONTENT_FORMAT, URI_QUERY, HOP_LIMIT, ACCEPT = 12, 15, 16, 17
BLOCK2, BLOCK1, SIZE2, PROXY_URI, PROXY_SCHEME, SIZE1 = 23, 27, 28, 35, 39, 60
ECHO, NO_RESPONSE, REQUEST_TAG, TOKEN = 252, 258, 292, 65001

KNOWN = {
    IF_MATCH: Rule(0, 8, repeats=True),  # RFC 7252 §5.10, as all that do not say otherwise
    URI_HOST: Rule(1, 255, text=True),
    ETAG: Rule(1, 8, repeats=True),
    IF_NONE_MATCH: Rule(0, 0),
    OBSERVE: Rule(0, 3),  # RFC 7641 §2
    URI_PORT: Rule(0, 2),
    OSCORE: Rule(0, 255),  # RFC 8613 §2
    URI_PATH: Rule(0, 255, repeats=True, text=True),
    CONTENT_FORMAT: Rule(0, 2),
    URI_QUERY: Rule(0, 255, repeats=True, text=True),
    HOP_LIMIT: Rule(1, 1),  # RFC 8768 §3
    ACCEPT: Rule(0, 2),
    BLOCK2: Rule(0, 3),  # RFC 7959 §2.1
    BLOCK1: Rule(0, 3),
    SIZE2: Rule(0, 4),
    PROXY_URI: Rule(1, 1034, text=True),
    PROXY_SCHEME: Rule(1, 255, text=True),
    SIZE1: Rule(0, 4),
    ECHO: Rule(1, 40),  # RFC 9175 §2.2.1
    NO_RESPONSE: Rule(0, 1),  # RFC 7967 §2
    REQUEST_TAG: Rule(0, 8, repeats=True),  # RFC 9175 §3.2.1
    TOKEN: Rule(1, 255, text=True),  # ours, from the range for experiments
}
PROXYING = (PROXY_URI, PROXY_SCHEME)


def is_critical(number: int) -> bool:
    """RFC 7252 §5.4.6: odd numbers."""
    return bool(number & 1)


def fits(number: int, value: bytes, previous: int) -> bool:
    """Whether we know option `number` with this value, after an option numbered `previous`."""
    rule = KNOWN.get(number)
    if rule is None or not rule.shortest <= len(value) <= rule.longest:
        return False
    if number == previous and not rule.repeats:
        return False
    return not rule.text or _is_text(value)


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
