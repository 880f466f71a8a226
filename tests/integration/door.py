"""Holds a gateway to a case of tests/vectors/coap_door.json, over a raw socket.

All cases run at once, each from an address and a port of its own, so what is silent costs the
time of one silence.
"""

import re
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from protocol import coap
from protocol.coap import Message

_ANSWER_S, _SILENCE_S = 5.0, 0.3
_AT_ONCE = 24
_LARGEST = 65_535
_PING = 0xEEEE
Case = dict[str, Any]
Step = dict[str, Any]
Fill = Callable[[str], bytes]


class DoorError(AssertionError):
    """The gateway did not do what the case says."""


def outcomes(cases: list[Case], host: str, port: int, fill: Fill) -> dict[str, str]:
    """What went wrong in each case, "" for nothing. `fill(name)` gives the bytes of a name."""

    def held(numbered: tuple[int, Case]) -> str:
        n, case = numbered
        with _open(host, port, n) as door:
            try:
                _Talk(door, fill).hold(case["steps"])
            except DoorError as error:
                return str(error)
        return ""

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = pool.map(held, enumerate(cases))
        return dict(zip((case["name"] for case in cases), said, strict=True))


def _open(host: str, port: int, n: int) -> socket.socket:
    """On IPv4 from an address of its own: so many requests from one would be a flood."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        door.bind((f"127.9.{1 + n // 250}.{1 + n % 250}", 0))
    door.connect((host, port))
    return door


class _Talk:
    def __init__(self, door: socket.socket, fill: Fill) -> None:
        self._door = door
        self._fill = fill
        self._filled: dict[str, bytes] = {}
        self._remembered: dict[str, bytes] = {}

    def hold(self, steps: list[Step]) -> None:
        for n, step in enumerate(steps):
            try:
                self._take(step)
            except DoorError as error:
                raise DoorError(f"step {n}, {step}: {error}") from None

    def _take(self, step: Step) -> None:
        if "send" in step:
            self._door.send(self._bytes(step["send"]))
        elif "silence" in step:
            self._hold_silence()
        elif "answers" in step:
            self._take_any(list(step["answers"]))
        else:
            self._compare(step, self._receive(_ANSWER_S))

    def _take_any(self, steps: list[Step]) -> None:
        """Each datagram is one of them; what is remembered is of the last that came."""
        while steps:
            data = self._receive(_ANSWER_S)
            fitting = [step for step in steps if _has_head(step, data)]
            _require(fitting, f"{data.hex()} came")
            self._compare(fitting[0], data)
            steps.remove(fitting[0])

    def _bytes(self, text: str) -> bytes:
        def filled(found: re.Match[str]) -> str:
            name = found.group(1)
            if name not in self._filled:
                self._filled[name] = self._fill(name)
            return self._filled[name].hex()

        return bytes.fromhex(re.sub(r"\{(\w+)\}", filled, text))

    def _receive(self, timeout_s: float) -> bytes:
        self._door.settimeout(timeout_s)
        try:
            return self._door.recv(_LARGEST)
        except TimeoutError:
            raise DoorError("nothing came") from None
        except ConnectionRefusedError:
            raise DoorError("the gateway is not there") from None

    def _hold_silence(self) -> None:
        """A ping after it is answered, so it was not lost; and nothing else is, a while long."""
        self._door.send(coap.empty(coap.CON, _PING))
        answer = self._receive(_ANSWER_S)
        if answer != coap.empty(coap.RST, _PING):
            raise DoorError(f"{answer.hex()} came")
        try:
            late = self._receive(_SILENCE_S)
        except DoorError:
            return
        raise DoorError(f"{late.hex()} came late")

    def _compare(self, step: Step, data: bytes) -> None:
        _require(_has_head(step, data), f"{data.hex()} came")
        _require(len(data) == step.get("bytes", len(data)), f"{len(data)} bytes came: {data.hex()}")
        answer = coap.decode(data)
        if answer.type == coap.CON:
            self._filled["mid"] = data[2:4]
        self._compare_options(step, answer)
        _compare_payload(step, answer.payload)
        if "remember" in step:
            self._remembered[step["remember"]] = data
        same = self._remembered.get(step.get("same", ""), data)
        _require(same == data, f"{data.hex()} is not {same.hex()}")

    def _compare_options(self, step: Step, answer: Message) -> None:
        for number, wanted in step.get("options", ()):
            value = answer.option(number)
            if value is None:
                raise DoorError(f"no option {number} in {answer}")
            if wanted and wanted.startswith("{"):
                self._filled[wanted[1:-1]] = value
            elif wanted is not None:
                _require(value.hex() == wanted, f"option {number} is {value.hex()}")
        for number in step.get("without", ()):
            _require(answer.option(number) is None, f"option {number} is in {answer}")


def _has_head(step: Step, data: bytes) -> bool:
    head = step["answer"]
    pattern = "".join("[0-9a-f]" if digit == "?" else digit for digit in head)
    return re.fullmatch(pattern, data[: len(head) // 2].hex()) is not None


def _compare_payload(step: Mapping[str, Any], payload: bytes) -> None:
    if "payload" in step:
        _require(payload.hex() == step["payload"], f"the payload is {payload!r}")
    _require(len(payload) == step.get("size", len(payload)), f"{len(payload)} bytes: {payload!r}")
    for text in step.get("has", ()):
        _require(text.encode() in payload, f"no {text} in {payload!r}")
    for text in step.get("lacks", ()):
        _require(text.encode() not in payload, f"{text} is in {payload!r}")


def _require(held: object, otherwise: str) -> None:
    if not held:
        raise DoorError(otherwise)
