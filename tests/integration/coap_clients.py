"""Other people's CoAP clients, each as a process: libcoap's, node's, aiocoap's.

All are asked in one way and answer in one way, so that a test is about the gateway. One that is
not installed skips the test, or fails it where CI=true.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

_NODE = Path(__file__).with_name("node")
_AIOCOAP = Path(__file__).with_name("aiocoap_client.py")
_SLACK_S = 10
_ANSWER = re.compile(r"v:1 t:(?:ACK|CON|NON) c:([2-5]\.\d\d) .*?(?: :: '(.*)')?$", re.MULTILINE)


class Answer(NamedTuple):
    code: str  # "2.05"
    payload: bytes


class Ask(NamedTuple):
    """`answers` over 1 observes. `block`: the size of Block1 of a payload, else of Block2."""

    method: str
    url: str
    payload: bytes = b""
    non: bool = False
    block: int | None = None
    format: int | None = None
    options: tuple[tuple[int, bytes], ...] = ()
    answers: int = 1
    timeout_s: int = 10


class Client(Protocol):
    name: str

    def start(self, ask: Ask) -> "subprocess.Popen[str]": ...
    def answers(self, process: "subprocess.Popen[str]") -> list[Answer]: ...


class Scripted:
    """A program that takes the request as JSON and prints a JSON line for each answer."""

    def __init__(self, name: str, *command: str) -> None:
        self.name = name
        self._command = command

    def start(self, ask: Ask) -> "subprocess.Popen[str]":
        options = [[number, value.hex()] for number, value in ask.options]
        shown = ask._asdict() | {"payload": ask.payload.hex(), "options": options}
        return _process([*self._command, json.dumps(shown)])

    def answers(self, process: "subprocess.Popen[str]") -> list[Answer]:
        printed = [json.loads(line) for line in _output(process).splitlines()]
        return [Answer(line["code"], bytes.fromhex(line["payload"])) for line in printed]


class Libcoap:
    """coap-client-notls: what it received is read from its log, which goes on where a body ends."""

    name = "libcoap"

    def __init__(self, program: str) -> None:
        self._program = program
        folder = tempfile.mkdtemp(prefix="tallystick-libcoap-")
        weakref.finalize(self, shutil.rmtree, folder)
        self._body = Path(folder, "body")

    def start(self, ask: Ask) -> "subprocess.Popen[str]":
        self._body.unlink(missing_ok=True)
        command = [self._program, "-v", "6", "-m", ask.method, "-B", str(ask.timeout_s)]
        command += ["-N"] if ask.non else []
        command += ["-b", str(ask.block)] if ask.block else []
        command += ["-t", str(ask.format)] if ask.format is not None else []
        for number, value in ask.options:
            command += ["-O", f"{number},0x{value.hex()}"]
        if ask.answers > 1:
            command += ["-s", str(ask.timeout_s - 1)]
        else:
            command += ["-o", str(self._body)]
        if ask.payload:
            sent = self._body.with_name("sent")
            sent.write_bytes(ask.payload)
            command += ["-f", str(sent)]
        return _process([*command, ask.url])

    def answers(self, process: "subprocess.Popen[str]") -> list[Answer]:
        """All of an observation; else the last, whose body may be of many blocks."""
        found = [Answer(code, text.encode()) for code, text in _ANSWER.findall(_output(process))]
        if not self._body.exists() or not found:
            return found
        return [Answer(found[-1].code, self._body.read_bytes())]


def ask(client: Client, asked: Ask) -> Answer:
    """The one answer."""
    (answer,) = client.answers(client.start(asked))
    return answer


def libcoap() -> Client:
    program = shutil.which("coap-client-notls")
    if program is None:
        _missing("coap-client-notls is not installed", "apt-get install -y libcoap3-bin")
    return Libcoap(program)


def node() -> Client:
    program = shutil.which("node")
    if program is None or not (_NODE / "node_modules" / "coap").exists():
        _missing(
            "node with its `coap` is not installed",
            f"npm install --no-package-lock --no-audit --no-fund --prefix {_NODE}",
        )
    return Scripted("node", program, str(_NODE / "client.js"))


def aiocoap() -> Client:
    return Scripted("aiocoap", sys.executable, str(_AIOCOAP))


def _missing(what: str, fix: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: {fix}")
    pytest.skip(f"{what}: {fix}")


def _process(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )


def _output(process: "subprocess.Popen[str]") -> str:
    """libcoap logs to stdout or stderr, as the line is; both are read."""
    try:
        out, err = process.communicate(timeout=_SLACK_S + 30)
    finally:
        process.kill()
    return out + "\n" + err if isinstance(err, str) and "v:1 t:" in err else out
