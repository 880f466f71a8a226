"""Proofs fetched from a running gateway, and checked when it is gone: with a key and no network."""

from pathlib import Path

import httpx2 as httpx
import pytest

from protocol import checkpoint as checkpoints
from protocol import leaf as leaves
from protocol import proof as proofs
from protocol import tile as tiles
from protocol.proof import Proof
from protocol.tile import ENTRIES, Tile
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.load import LoadDevice
from tests.protocol import oracles
from tools.processes import Service


def vkey(site: Site) -> str:
    return (site.gateway_dir / "verifier.key").read_text().strip()


def feed(site: Site, name: str, count: int) -> LoadDevice:
    """A device that goes on sending, once `count` of its packs are kept."""
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) >= count, f"{count} packs of {name}")
    return device


def fetch(site: Site, gateway: Service, folder: Path, index: int) -> None:
    """The proof of an entry, as text and as a receipt."""
    for suffix, more in ((".tlog-proof", []), (".cose", ["--cose"])):
        out = folder / f"{index}{suffix}"
        done = tallystick(
            "proof", "fetch", gateway.url, index, "-o", out, "--vkey", vkey(site), *more
        )
        assert done.returncode == 0, done.stderr + done.stdout


def parts(text: str) -> dict[str, object]:
    proof = proofs.parse_proof(text)
    leaf, salt, body = leaves.decode_entry(proof.extra)
    return {"leaf": leaf, "salt": salt, "body": body, "index": proof.index, "path": proof.path,
            "note": proof.note}  # fmt: skip


def written(leaf, salt, body, index, path, note) -> str:
    return proofs.format_proof(Proof(leaves.encode_entry(leaf, salt, body), index, path, note))


def later(leaf: bytes) -> bytes:
    fields = leaves.decode(leaf)
    return leaves.encode(leaves.Leaf(fields[0], fields[1] + 1, *fields[2:]))


SPOILED = {
    "leaf": lambda p: p | {"leaf": later(p["leaf"])},
    "body": lambda p: p | {"body": p["body"][:-1] + bytes((p["body"][-1] ^ 1,))},
    "salt": lambda p: p | {"salt": bytes(16)},
    "path": lambda p: p | {"path": [p["path"][0][::-1], *p["path"][1:]]},
    "index": lambda p: p | {"index": p["index"] + 1},
    "size": lambda p: p | {"note": larger(p["note"])},
}


def larger(note: str) -> str:
    size = checkpoints.unverified(note).size
    return note.replace(f"\n{size}\n", f"\n{size + 1}\n", 1)


@pytest.mark.integration
def test_proofs_taken_while_devices_send_hold_when_the_gateway_is_gone(
    site: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "proofs"
    folder.mkdir()
    gateway = site.start_gateway()
    device = feed(site, "load-1", 20)
    for index in (0, 1, 7, max(device.kept.values())):
        fetch(site, gateway, folder, index)
    device.end()
    site.stop()

    good = tallystick("proof", "check", folder, "--vkey", vkey(site))

    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.endswith("8 proofs, 0 of them wrong\n")
    original = parts((folder / "7.tlog-proof").read_text())
    for name, spoil in SPOILED.items():
        spoiled = tmp_path / f"{name}.tlog-proof"
        spoiled.write_text(written(**spoil(original)))
        wrong = tallystick("proof", "check", spoiled, "--vkey", vkey(site))
        assert (wrong.returncode, "WRONG" in wrong.stdout) == (1, True), (name, wrong.stdout)


@pytest.mark.integration
@pytest.mark.damages_ledgers  # the outside verifier is not given the new key
def test_a_rotation_takes_nothing_from_older_proofs_and_newer_ones_need_the_new_key(
    site: Site, tmp_path: Path
) -> None:
    gateway = site.start_gateway()
    feed(site, "load-1", 3).end()
    fetch(site, gateway, tmp_path, 1)
    (tmp_path / "1.tlog-proof").rename(tmp_path / "old.tlog-proof")
    old_key = vkey(site)
    gateway.stop()

    assert tallystick("rotate-key", site.gateway_dir).returncode == 0
    gateway = site.start_gateway()
    feed(site, "load-2", 3).end()
    fetch(site, gateway, tmp_path, 1)
    site.stop()

    def check(name: str, key: str) -> int:
        return tallystick("proof", "check", tmp_path / name, "--vkey", key).returncode

    assert vkey(site) != old_key
    assert [check("old.tlog-proof", key) for key in (old_key, vkey(site))] == [0, 1]
    assert [check("1.tlog-proof", key) for key in (old_key, vkey(site))] == [1, 0]
    assert [check("1.cose", key) for key in (old_key, vkey(site))] == [1, 0]


@pytest.mark.integration
def test_a_stranger_rebuilds_the_signed_tree_from_tiles(site: Site) -> None:
    gateway = site.start_gateway()
    feed(site, "load-1", 300).end()
    site.wait_until(lambda: is_signed(gateway), "everything is signed")
    with httpx.Client(base_url=gateway.url, timeout=10) as client:
        signed = checkpoints.unverified(client.get("/checkpoint").text)

        bundles = b"".join(read(client, ENTRIES, signed.size))
        hashes = b"".join(read(client, 0, signed.size))
        (upper,) = read(client, 1, signed.size // 256)

    stored = leaves_of(bundles)
    assert signed.size > 300
    assert oracles.root(stored) == signed.root
    assert hashes == b"".join(oracles.root([leaf]) for leaf in stored)
    assert upper == b"".join(
        oracles.root(stored[n * 256 : (n + 1) * 256]) for n in range(signed.size // 256)
    )


def is_signed(gateway: Service) -> bool:
    stats = gateway.get("/stats")
    return bool(stats["size"] == stats["signed_size"])


def read(client: httpx.Client, level: int, count: int) -> list[bytes]:
    """All tiles of a level that has `count` hashes."""
    found = []
    for index in range((count + 255) // 256):
        tile = Tile(level, index, min(256, count - index * 256))
        answer = client.get(f"/{tiles.format_path(tile)}")
        assert answer.status_code == 200, answer.text
        found.append(answer.content)
    return found


def leaves_of(bundles: bytes) -> list[bytes]:
    """The leaves of bundles one after the other, which is what a bundle of them all would be."""
    leaves_, at = [], 0
    while at < len(bundles):
        start = at + 2
        at = start + int.from_bytes(bundles[at:start], "big")
        leaves_.append(bundles[start:at])
    return leaves_
