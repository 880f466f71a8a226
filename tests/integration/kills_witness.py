"""Kills of a witness while several ask it: it never cosigns less than before, or another tree."""

import functools
import hashlib
import random
import threading
import time

import httpx2 as httpx

from protocol import checkpoint as checkpoints
from protocol import witnessing
from protocol.witnessing import Request
from tests import fakes
from tests.fakes import FakeDevice, FakeGateway
from tests.gateway.witnesses import VKEY, asking
from tests.integration.neighbours import NeighbourGateway

SIZE = 5000


def history(later: FakeDevice) -> FakeGateway:
    """A long ledger: the first three entries are those of every other one."""
    gateway, shed = FakeGateway(), FakeDevice("shed")
    gateway.commit(*(shed.submission(n) for n in range(3)))
    gateway.commit(*(later.submission(n) for n in range(3, SIZE)))
    return gateway


@functools.cache
def histories() -> tuple[FakeGateway, FakeGateway]:
    """An honest one, and a fork of it under the same key."""
    return history(FakeDevice("shed")), history(FakeDevice("cellar"))


class Asker(threading.Thread):
    """Asks for cosignatures without a pause; `cosigned` are the sizes it got one for."""

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._dice = random.Random(seed)
        self._ending = threading.Event()
        self.cosigned: list[int] = []
        self.forks_cosigned = 0
        self.lost = 0

    def run(self) -> None:
        last = 0
        with httpx.Client(base_url=self._url, timeout=2) as client:
            while not self._ending.is_set() and last < SIZE:
                last = self._ask(client, last, min(last + self._dice.randint(0, 2), SIZE))

    def _ask(self, client: httpx.Client, last: int, size: int) -> int:
        """What the witness knows now, as far as it says."""
        fork = last > 3 and self._dice.random() < 0.3
        request = asking(histories()[fork], last, size)
        status, text = self._add(client, request)
        if status == 200:
            self.forks_cosigned += fork
            self.cosigned.append(size)
            return size
        return int(text) if status == 409 else last

    def _add(self, client: httpx.Client, request: Request) -> tuple[int, str]:
        try:
            body = witnessing.format_request(request)
            answer = client.post("/add-checkpoint", content=body)
        except httpx.HTTPError:
            self.lost += 1  # killed: it may have remembered, and not said so
            time.sleep(0.01)
            return 0, ""
        return answer.status_code, answer.text

    def end(self) -> None:
        self._ending.set()
        self.join(10)


def campaign(witness: NeighbourGateway, *, kills: int, seed: int) -> None:
    print(f"\nreplay with SEED={seed} KILLS={kills}")
    dice = random.Random(seed)
    config = witness.path / "tallystick.toml"
    config.write_text(config.read_text().split("[witness]")[0] + f'[witness]\ntrust = ["{VKEY}"]\n')
    service, largest, lost, total = witness.start(), 0, 0, 0
    known = f"/{origin_hash()}/checkpoint"

    for n in range(kills):
        askers = [Asker(witness.url, dice.randrange(1 << 30)) for _ in range(3)]
        for asker in askers:
            asker.start()
        time.sleep(dice.uniform(0.01, 0.6))
        service.kill()
        for asker in askers:
            asker.end()
        service = witness.start()
        told = max([size for asker in askers for size in asker.cosigned], default=0)
        largest, total = max(largest, told), total + sum(len(a.cosigned) for a in askers)
        lost += sum(asker.lost for asker in askers)
        answer = httpx.get(witness.url + known)
        if answer.status_code == 200:
            held = checkpoints.unverified(answer.text)
            assert held.size >= largest, f"kill {n}: cosigned {largest}, remembers {held.size}"
            assert held == checkpoints.unverified(asking(histories()[0], 0, held.size).note)
            largest = held.size
        else:
            assert largest == 0
        assert [asker.forks_cosigned for asker in askers] == [0, 0, 0]

    print(f"{kills} kills, {total} cosigned, {lost} without an answer, the last of {largest}")
    assert total > 0


def origin_hash() -> str:
    return hashlib.sha256(fakes.ORIGIN.encode()).hexdigest()
