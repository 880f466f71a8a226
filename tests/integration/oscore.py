"""Two clients under OSCORE: aiocoap's, in a process, and datagrams of our own that repeat."""

import json
import queue
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

from gateway.coap.ccm import Ccm
from protocol import coap, pairing
from protocol.coap import CON, Message
from protocol.envelope import kid_of
from protocol.oscore_client import Client
from protocol.oscore_parts import OSCORE, Asked, Plain, Sealed
from tests.gateway.protected import again
from tests.integration.harness import Site
from tools.oscore import export

_PROGRAM = Path(__file__).parent / "oscore_aiocoap.py"
_ANSWER_S = 30


class Answer(NamedTuple):
    code: str
    payload: bytes
    protected: bool


class AiocoapClient:
    """A process with the context of `name`; `ask` waits for its next answer."""

    def __init__(self, site: Site, name: str, folder: Path) -> None:
        self.url = f"coap://127.0.0.1:{site.coap_port}"
        export(site.gateway_dir, name, folder, gateway="", client="aiocoap")
        command = [sys.executable, str(_PROGRAM), str(folder / "client.json")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, method: str, path: str, payload: bytes = b"", **more: Any) -> Answer:
        """AssertionError with what aiocoap raised, where it did."""
        self.send(method, path, payload, **more)
        return self.next()

    def send(self, method: str, path: str, payload: bytes = b"", **more: Any) -> None:
        asked = {"method": method, "url": self.url + path, "payload": payload.hex(), **more}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def next(self) -> Answer:
        found = json.loads(self._lines.get(timeout=_ANSWER_S))
        assert "error" not in found, found["error"]
        return Answer(found["code"], bytes.fromhex(found["payload"]), found["protected"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_ANSWER_S)
        self._reader.join(_ANSWER_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)


class RawClient:
    """Datagrams that can be sent again, byte for byte or under another message ID."""

    def __init__(self, site: Site, config: dict[str, Any]) -> None:
        master = pairing.master_secret(bytes.fromhex(config["secret"]))
        self._client = Client(pairing.device_keys(master, kid_of(config["name"])), Ccm)
        self.gateway = ("127.0.0.1", site.coap_port)
        self._message_id = 0
        self.number = 0

    def sealed(self, plain: Plain) -> tuple[Sealed, Asked]:
        self.number += 1
        return self._client.protect(self.number, plain)

    def exchange(self, sealed: Sealed) -> Message:
        """The answer to a CON of its own, from a socket of its own."""
        self._message_id += 1
        message = Message(CON, sealed.code, self._message_id, b"t", sealed.options, sealed.payload)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.settimeout(_ANSWER_S)
            door.sendto(coap.encode(message), self.gateway)
            while True:
                answer = coap.decode(door.recv(2048))
                if answer.message_id == self._message_id and answer.code:
                    return answer

    def repeated(self, sealed: Sealed, count: int) -> list[bytes]:
        """The answers to one datagram that is sent `count` times."""
        self._message_id += 1
        message = Message(CON, sealed.code, self._message_id, b"t", sealed.options, sealed.payload)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.settimeout(_ANSWER_S)
            answers = []
            for _ in range(count):
                door.sendto(coap.encode(message), self.gateway)
                answers.append(door.recv(2048))
            return answers

    def opened(self, asked: Asked, answer: Message) -> Plain:
        return self._client.unprotect(asked, answer.options, answer.payload)[0]

    def ask(self, plain: Plain) -> Plain:
        """With a second round where the gateway asks for an Echo."""
        sealed, asked = self.sealed(plain)
        found = self.opened(asked, self.exchange(sealed))
        repeated = again(plain, found)
        if repeated is None:
            return found
        sealed, asked = self.sealed(repeated)
        return self.opened(asked, self.exchange(sealed))


UNAUTHORIZED = 0x81


def is_protected(answer: Message) -> bool:
    return answer.option(OSCORE) is not None
