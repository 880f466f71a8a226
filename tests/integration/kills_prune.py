"""kill -9 while bodies are deleted: whole or not at all, and nothing else is lost."""

import random
import threading
import time
from typing import Any

import httpx2

from tests.integration.harness import Site
from tests.integration.pruning import Admin, Held, configure
from tests.load import LoadDevice

_DEVICES = 4
_ASKED_S = 5  # it is asked all the time
_PRUNE_S = 0.03  # from the request to the answer, about


def campaign(site: Site, kills: int, seed: int) -> None:
    """Devices send and prunes of all kinds are asked for without a pause, between the kills."""
    print(f"\nreplay with SEED={seed} KILLS={kills}")
    dice = random.Random(seed)
    configure(site, "[retention]\nmax_bytes = 70_000_000\nkeep_days = 1\n")
    asker = _Asker(Admin(site), seed)
    site.start_collector()
    gateway = site.start_gateway()
    devices = [LoadDevice(site.enrol(f"load-{n}")) for n in range(_DEVICES)]
    for thread in (*devices, asker):
        thread.start()

    for _ in range(kills):
        time.sleep(dice.uniform(0.02, 0.5))
        asker.asking.wait(_ASKED_S)
        time.sleep(dice.choice((0, dice.uniform(0, _PRUNE_S))))
        gateway.kill()
        gateway = site.start_gateway()
    time.sleep(0.3)
    for thread in (asker, *devices):
        thread.end()
    site.wait_until_collected()
    site.stop()

    kept = {number: index for device in devices for number, index in device.kept.items()}
    held = Held(site.gateway_dir / "ledger.sqlite")
    print(
        f"{kills} kills, {len(kept)} acknowledged, {len(held.index)} in the ledger;"
        f" {len(held.missing)} bodies deleted by {len(held.prunes)} entries,"
        f" {asker.answered} of which were answered; {asker.interrupted} kills while one was asked"
    )
    assert len(kept) > kills
    assert len(held.prunes) >= asker.answered > 0
    assert asker.interrupted > 0 or kills < 10  # a few kills may all miss it
    assert held.lost(kept) == []
    for verdict in site.verdicts():
        assert verdict.valid, f"SEED={seed}: {verdict.source} {verdict.first_bad} {verdict.reason}"


class _Asker(threading.Thread):
    """One prune after another: of a range, a device, for good or not."""

    def __init__(self, admin: Admin, seed: int) -> None:
        super().__init__(daemon=True)
        self._admin = admin
        self._dice = random.Random(seed)
        self._ending = threading.Event()
        self.asking = threading.Event()  # while a request is under way
        self.answered = self.interrupted = 0

    def run(self) -> None:
        start = 0
        while not self._ending.is_set():
            order: dict[str, Any] = {
                "start": start,
                "stop": start + self._dice.randrange(1, 60),
                "redact": self._dice.random() < 0.5,
                "even_unforwarded": self._dice.random() < 0.7,
            }
            if self._dice.random() < 0.3:
                order["source"] = f"load-{self._dice.randrange(_DEVICES)}"
            answer = self._ask(order)
            if answer is not None and answer["recorded_at"] is not None:
                self.answered += 1
                start += self._dice.randrange(20, 60)
            else:
                self._ending.wait(0.01)

    def _ask(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """None where the gateway was killed before, or in the middle: then it may be done."""
        self.asking.set()
        try:
            return self._admin.prune(**order)
        except httpx2.ConnectError:
            return None
        except httpx2.HTTPError:
            self.interrupted += 1
            return None
        finally:
            self.asking.clear()

    def end(self) -> None:
        self._ending.set()
        self.join(30)
