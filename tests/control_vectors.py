"""The vectors of what is asked and told at /c, on either interpreter."""

from protocol import control, envelope
from tests.note_vectors import refusal

unhex = bytes.fromhex


def check_control(vector):
    data, kid, nonce = [unhex(vector[field]) for field in ("hex", "kid", "nonce")]
    key = envelope.direction_key(unhex(vector["secret"]), envelope.DOWN)
    if vector["direction"] == "up":
        return _check_question(vector, key, kid, data)
    asked = control.Question(nonce, 0, 0, 0, 0, 0)
    if "error" in vector:
        return refusal(control.open_answer, key, data, asked, kid) == vector["error"]
    _, version, size, piece, commands, withheld = vector["fields"]
    told = [control.Command(*one) for one in commands]
    shown = control.Answer(nonce, version, size, unhex(piece), told, withheld)
    opened = control.open_answer(key, data, asked, kid)
    return opened == shown and control.seal_answer(key, kid, shown) == data


def _check_question(vector, key, kid, data):
    if "error" in vector:
        return refusal(control.open_question, key, data) == vector["error"]
    shown = control.Question(unhex(vector["fields"][0]), *vector["fields"][1:])
    if control.kid_of_question(data) != kid or control.open_question(key, data) != shown:
        return False
    return control.seal_question(key, kid, shown) == data
