"""What a device is told when it asks. Pure: what stands is handed in, nothing is written."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.control.entries import has_secrets
from protocol.control import Answer, Command, Question
from protocol.limits import MAX_PIECE_BYTES, MAX_TOLD_COMMANDS


class Standing(NamedTuple):
    """What one device is to have: version 0 is no configuration; commands in ascending order."""

    version: int = 0
    text: bytes = b""
    commands: Sequence[Command] = ()


def answer(question: Question, standing: Standing, *, protected: bool) -> Answer:
    """The next piece of a newer configuration, else the next few commands."""
    told = Answer(question.nonce, standing.version, 0, b"", [], withheld=False)
    if standing.version > question.known:
        if not protected and has_secrets(standing.text):
            told = told._replace(withheld=True)
        else:
            return told._replace(size=len(standing.text), piece=_piece(question, standing))
    waiting = [command for command in standing.commands if command.id > question.done]
    return told._replace(commands=waiting[:MAX_TOLD_COMMANDS])


def _piece(question: Question, standing: Standing) -> bytes:
    """What it has of another version is of no use."""
    at = question.at if question.of == standing.version else 0
    return standing.text[at : at + MAX_PIECE_BYTES]
