"""The vectors of what is asked and told at /c, on either interpreter."""

from protocol import asking, control, envelope, told
from tests.note_vectors import refusal

unhex = bytes.fromhex


def check_control(vector):
    data, kid, nonce = [unhex(vector[field]) for field in ("hex", "kid", "nonce")]
    key = envelope.direction_key(unhex(vector["secret"]), envelope.DOWN)
    if vector["direction"] == "up":
        return _check_question(vector, key, kid, data)
    if "error" in vector:
        return refusal(told.open_answer, key, data, kid, nonce) == vector["error"]
    version, size, piece, listed, withheld = vector["fields"][1:]
    piece, listed = unhex(piece), [tuple(one) for one in listed]
    commands = [control.Command(*one) for one in listed]
    shown = control.Answer(nonce, version, size, piece, commands, withheld)
    opened = told.open_answer(key, data, kid, nonce)
    right = opened == (version, size, piece, listed, withheld)
    return right and control.seal_answer(key, kid, shown) == data


def _check_question(vector, key, kid, data):
    if "error" in vector:
        return refusal(control.open_question, key, data) == vector["error"]
    nonce, numbers = unhex(vector["fields"][0]), tuple(vector["fields"][1:])
    shown = control.Question(nonce, *numbers)
    if control.kid_of_question(data) != kid or control.open_question(key, data) != shown:
        return False
    return asking.seal_question(key, kid, nonce, numbers) == data
