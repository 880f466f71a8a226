"""The load generator in C, compiled with the system's `cc`; where there is none, `window.py`."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.window import post_all
from tests.integration.flood import cpu_s

_SOURCE = Path(__file__).with_name("load.c")
_SLACK_S = 60  # for what is in flight when the time is over


class Load(NamedTuple):
    """What one run says. Microseconds; -1 where the generator without `cc` cannot tell."""

    per_s: float
    answered: int
    lost: int
    p50_us: int = -1
    p99_us: int = -1
    max_us: int = -1
    longest_gap_us: int = -1  # between two answers
    retransmitted: int = 0
    repeated: int = 0  # answers to what was answered
    wrong: int = 0
    refused: int = 0
    first_refusal: str = ""
    cpu_us: float = -1  # the generator's own, an answer
    server_cpu_us: float = -1


class Generator:
    """`compiled` is None where there is no `cc`: slower, and it measures less."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.compiled = _compiled(folder)

    def run(
        self,
        port: int,
        requests: Sequence[bytes],
        *,
        window: int,
        sources: int,
        seconds: float,
        codes: Sequence[int],
        pid: int,
    ) -> Load:
        """Sends `requests` to loopback for `seconds` at most; `pid` is the server's."""
        before = cpu_s(pid)
        if self.compiled is None:
            result = post_all(port, _numbered(requests), window, codes)
            load = Load(result.per_second, result.answered, result.lost)
        else:
            load = self._run(port, requests, (window, sources, seconds), codes)
        used = cpu_s(pid) - before
        return load._replace(server_cpu_us=used / max(load.answered, 1) * 1e6)

    def _run(
        self,
        port: int,
        requests: Sequence[bytes],
        shape: tuple[int, int, float],
        codes: Sequence[int],
    ) -> Load:
        assert self.compiled is not None
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
            for request in requests:
                file.write(len(request).to_bytes(2, "big") + request)
            file.flush()
            arguments = [port, *shape, file.name, *(f"{code:x}" for code in codes)]
            said = subprocess.run(
                [self.compiled, *map(str, arguments)],
                stdout=subprocess.PIPE,
                check=True,
                timeout=shape[2] + _SLACK_S,
            )
        found = json.loads(said.stdout)
        cpu_us = found["cpu_s"] / max(found["answered"], 1) * 1e6
        told = {name: found[name] for name in Load._fields if name in found}
        return Load(**told, cpu_us=cpu_us)


def _numbered(requests: Sequence[bytes]) -> list[bytes]:
    """As the generator in C does: message id and token are the request's number."""
    return [
        request[:2] + (n & 0xFFFF).to_bytes(2, "big") + n.to_bytes(4, "big") + request[8:]
        for n, request in enumerate(requests)
    ]


def _compiled(folder: Path) -> Path | None:
    cc = shutil.which("cc")
    if cc is None:
        print("no C compiler: the generator in Python takes part of the server's cores itself,")
        print("and measures no latency; for real figures: apt-get install -y gcc libc6-dev")
        return None
    target = folder / "load"
    subprocess.run([cc, "-O2", "-std=c11", "-o", target, _SOURCE], check=True)
    return target
