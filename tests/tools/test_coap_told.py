"""Addresses as they are typed, and answers as they are told."""

import json

import pytest

from gateway.coap.requests import URI_PATH, URI_QUERY
from gateway.errors import ConfigError
from protocol import cbor
from protocol.coap import ACK, Message
from tools.coap import session, uri
from tools.coap.told import as_json, refusal_text

ADDRESSES = {
    "coap://h/": ("h", 5683, []),
    "coap://h": ("h", 5683, []),
    "coap://127.0.0.1:5699/home/a": ("127.0.0.1", 5699, [(URI_PATH, b"home"), (URI_PATH, b"a")]),
    "coap://[::1]:5699/r": ("::1", 5699, [(URI_PATH, b"r")]),
    "coap://h/a%20b/%C3%A9?rt=x&ct=1": (
        "h",
        5683,
        [(URI_PATH, b"a b"), (URI_PATH, "é".encode()), (URI_QUERY, b"rt=x"), (URI_QUERY, b"ct=1")],
    ),
    "coap://h/a/": ("h", 5683, [(URI_PATH, b"a"), (URI_PATH, b"")]),
    "COAP://h/%2F": ("h", 5683, [(URI_PATH, b"/")]),
}


@pytest.mark.parametrize(("text", "target"), ADDRESSES.items())
def test_an_address_is_a_host_a_port_and_options(text, target):
    assert uri.parse(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h/a",
        "http://h/a",
        "coaps://h/a",
        "coap:///a",
        "coap://h:99999/",
        "coap://h/a#b",
        "coap://me@h/a",
        "coap://h/%FF",
        "coap://h/" + "a" * 256,
    ],
)
def test_what_is_no_address_is_wrong_use_with_an_example(text):
    with pytest.raises(ConfigError) as refused:
        uri.parse(text)

    assert "coap://" in refused.value.fix


def answer(code, options=(), payload=b""):
    return Message(ACK, code, 1, b"", list(options), payload)


def test_a_refusal_is_told_with_its_words_and_what_to_do():
    words = cbor.encode({-1: "not-found", -2: "there is no home/a"})

    told = refusal_text(answer(0x84, [(12, b"\x01\x01")], words))

    assert told.startswith("4.04: not-found: there is no home/a\n  fix: ")


@pytest.mark.parametrize(
    ("code", "options", "said"),
    [
        (0x9D, [(14, b"\x07")], "4.29\n  fix: wait 7 s, then try again"),
        (0x8D, [(60, b"\x04\x00")], "4.13 (at most 1024 bytes)\n"),
        (0xA0, [], "5.00\n  fix: look at the gateway"),
        (0x84, [(12, b"\x01\x01")], "4.04\n"),
    ],
)
def test_a_refusal_without_words_is_told_by_its_code_and_options(code, options, said):
    assert refusal_text(answer(code, options, b"\xff")).startswith(said)


def test_json_has_text_where_it_is_text_and_base64_where_it_is_not():
    text = json.loads(as_json(answer(0x45, [(4, b"\x01\xab"), (12, b"")], b"on")))
    data = json.loads(as_json(answer(0x45, [(6, b"\x05")], b"\xff\x00")))

    assert text == {
        "code": "2.05",
        "content_format": 0,
        "etag": "01ab",
        "size_bytes": 2,
        "text": "on",
    }
    assert data == {"code": "2.05", "observe": 5, "size_bytes": 2, "base64": "/wA="}


def test_json_of_a_refusal_has_its_words():
    words = cbor.encode({-1: "conflict", -2: "d"})

    shown = json.loads(as_json(answer(0x89, [(12, b"\x01\x01")], words)))

    assert shown == {"code": "4.09", "content_format": 257, "title": "conflict", "detail": "d"}


def test_a_format_is_a_name_or_a_number():
    assert [session.content_format(text) for text in ("text", "json", "112")] == [0, 50, 112]
    for text in ("xml", "65536", "-1", "²"):
        with pytest.raises(ConfigError):
            session.content_format(text)


def test_an_etag_is_one_to_eight_bytes_in_hex():
    assert session.etag("01ab") == b"\x01\xab"
    for text in ("", "zz", "00" * 9):
        with pytest.raises(ConfigError):
            session.etag(text)
