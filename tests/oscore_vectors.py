"""The checks of vectors of OSCORE and its cipher, for the interpreter that runs them."""

from protocol import ccm, coap, oscore, oscore_keys, oscore_parts, pairing
from protocol.oscore import Header
from protocol.oscore_client import Client
from protocol.oscore_parts import Asked, Plain
from protocol.oscore_server import Server, Window
from tests.aes import aes
from tests.note_vectors import refusal

unhex = bytes.fromhex


def cipher(key):
    return ccm.Ccm(key, aes)


def check_ccm(vector):
    key, nonce, aad, sealed = [unhex(vector[name]) for name in ("key", "nonce", "aad", "hex")]
    if "error" in vector:
        return refusal(cipher(key).open, nonce, aad, sealed) == vector["error"]
    plaintext = unhex(vector["plaintext"])
    one = cipher(key)
    return (
        one.seal(nonce, aad, plaintext) == sealed
        and one.open(nonce, aad, sealed) == plaintext
        and one.seal(nonce, aad, plaintext) == sealed
    )


def check_oscore(vector):
    return _CHECKS[vector["what"]](vector)


def _keys(vector, swapped=False):
    names = ("recipient_id", "sender_id") if swapped else ("sender_id", "recipient_id")
    sender_id, recipient_id = [unhex(vector[name]) for name in names]
    context = unhex(vector["id_context"]) if "id_context" in vector else None
    return oscore_keys.derive(
        unhex(vector["secret"]),
        sender_id=sender_id,
        recipient_id=recipient_id,
        salt=unhex(vector.get("salt", "")),
        id_context=context,
    )


def _check_keys(vector):
    if "error" in vector:
        return refusal(_keys, vector) == vector["error"]
    keys, other = _keys(vector), _keys(vector, swapped=True)
    base = oscore_parts.nonce_base(keys.common_iv, keys.sender_id)
    found = [keys.sender, keys.recipient, keys.common_iv, oscore_parts.nonce(base, 0)]
    shown = [unhex(vector[name]) for name in ("sender", "recipient", "common_iv", "nonce")]
    return found == shown and [other.recipient, other.sender] == shown[:2]


def _check_pairing(vector):
    """The context of a device, from its secret and its kid."""
    master, kid = pairing.master_secret(unhex(vector["device_secret"])), unhex(vector["kid"])
    device, gateway = pairing.device_keys(master, kid), pairing.gateway_keys(master, kid)
    same = device == _keys(vector) and gateway == _keys(vector, swapped=True)
    return same and master.hex() == vector["secret"]


def _check_option(vector):
    value = unhex(vector["hex"])
    if "error" in vector:
        return refusal(oscore.decode_option, value) == vector["error"]
    fields = [None if field is None else unhex(field) for field in vector["fields"]]
    header = oscore.decode_option(value)
    return header == Header(*fields) and oscore.encode_option(header) == value


def _check_number(vector):
    iv = unhex(vector["hex"])
    if "error" in vector:
        return refusal(oscore_parts.number_of, iv) == vector["error"]
    return (
        oscore_parts.number_of(iv) == vector["number"]
        and oscore_parts.partial_iv(vector["number"]) == iv
    )


def _check_request(vector):
    """A request, protected by a client and opened by its server."""
    plain, sealed = coap.decode(unhex(vector["plain"])), coap.decode(unhex(vector["hex"]))
    client, server = Client(_keys(vector), cipher), Server(_keys(vector, True), cipher)
    header = oscore.decode_option(sealed.option(oscore_parts.OSCORE))
    message = Plain(plain.code, plain.options, plain.payload)
    opened, asked = server.unprotect(header, sealed.code, sealed.options, sealed.payload)
    found, for_answer = client.protect(vector["number"], message)
    if "id_context" not in vector and found != (sealed.code, sealed.options, sealed.payload):
        return False  # we send no kid context
    return opened == message and asked == for_answer and found.payload == sealed.payload


def _check_answer(vector):
    """An answer, sealed by a server and opened by its client."""
    plain, sealed = coap.decode(unhex(vector["plain"])), coap.decode(unhex(vector["hex"]))
    server, client = Server(_keys(vector), cipher), Client(_keys(vector, True), cipher)
    number, kid = vector["request_number"], unhex(vector["recipient_id"])
    asked = Asked(vector["request_code"], number, kid, oscore_parts.partial_iv(number), True)
    message, own = Plain(plain.code, plain.options, plain.payload), vector.get("own_number")
    found = server.protect(asked, message, own)
    opened = client.unprotect(asked, sealed.options, sealed.payload)
    return found == (sealed.code, sealed.options, sealed.payload) and opened == (message, own)


def _check_window(vector):
    window = Window(vector["newest"]) if "newest" in vector else Window()
    for number, fresh in vector["steps"]:
        if window.is_fresh(number) is not fresh:
            return False
        if fresh:
            window.take(number)
    return True


_CHECKS = {
    "keys": _check_keys,
    "pairing": _check_pairing,
    "option": _check_option,
    "number": _check_number,
    "request": _check_request,
    "answer": _check_answer,
    "window": _check_window,
}
