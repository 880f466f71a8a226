"""Many datagrams to one UDP port of this machine, no faster than its owner takes them.

What the kernel holds for the port is in /proc/net/udp*, and so is what it had to drop: that says
how many were really taken. Senders have addresses of their own in 127/8, and are replaced now
and then: answers to one that has gone come back as ICMP port unreachable, as in real life.
"""

import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_BATCH = 5  # sent at once: more would be a queue of their own for whoever comes behind
_LOOK_EVERY = 50
_SENDERS = 200
_RENEW_EVERY = 2000  # datagrams
_MOST_QUEUED_BYTES = 60_000
_STUCK_S = 20


class Flooded(NamedTuple):
    sent: int
    taken: int  # not dropped by the kernel
    seconds: float


def flood(port: int, datagrams: Iterable[bytes], *, per_s: float) -> Flooded:
    """Sends them all; AssertionError where the owner takes none for _STUCK_S."""
    senders = [_sender(n) for n in range(_SENDERS)]
    dropped = _waiting(port)[1]
    started = time.monotonic()
    sent = 0
    for datagram in datagrams:
        senders[sent % _SENDERS].sendto(datagram, ("127.0.0.1", port))
        sent += 1
        if sent % _BATCH == 0:
            time.sleep(max(0.0, started + sent / per_s - time.monotonic()))  # the pace
        if sent % _LOOK_EVERY == 0:
            _until_taken(port, _MOST_QUEUED_BYTES)
        if sent % _RENEW_EVERY == 0:
            n = sent // _RENEW_EVERY % _SENDERS
            senders[n].close()
            senders[n] = _sender(n)
    _until_taken(port, 0)
    taken = sent - (_waiting(port)[1] - dropped)
    for sender in senders:
        sender.close()
    return Flooded(sent, taken, time.monotonic() - started)


def cpu_s(pid: int) -> float:
    """What process `pid` and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """What process `pid` holds in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no VmRSS of process {pid}")


def _sender(n: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((f"127.8.0.{1 + n}", 0))
    return made


def _until_taken(port: int, queued_bytes: int) -> None:
    deadline = time.monotonic() + _STUCK_S
    while _waiting(port)[0] > queued_bytes:
        assert time.monotonic() < deadline, f"nobody takes what waits at port {port}"
        time.sleep(0.001)  # not to read /proc without a pause


def _waiting(port: int) -> tuple[int, int]:
    """Bytes that wait at `port`, and datagrams dropped there so far (proc_net_udp(5))."""
    queued = dropped = 0
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rsplit(":", 1)[1], 16) == port:
                queued += int(fields[4].split(":")[1], 16)
                dropped += int(fields[12])
    return queued, dropped
