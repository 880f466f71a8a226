"""What a board asks with, in a real MicroPython: hostile peers, power cuts, its own cipher."""

import json

import pytest

from tests.device.hostile import TABLE
from tests.device.hostile import main as feed
from tests.interpreters import ROOT, run_micropython
from tests.make_vectors import VECTORS


async def test_nothing_a_peer_sends_stops_or_confuses_an_endpoint(capsys):
    await feed(500)

    assert f"{len(TABLE)} kinds" in capsys.readouterr().out


def test_nothing_a_peer_sends_stops_confuses_or_fills_a_board(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    run = run_micropython(["-X", "heapsize=128K", "-m", "tests.device.hostile", "2000"], tmp_path)

    print(run.stdout)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("program_bytes", [32, 256])
def test_no_power_cut_brings_a_number_back(program_bytes, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = ["-X", "heapsize=8M", "-m", "tests.device.number_sweep", str(program_bytes)]

    run = run_micropython(arguments, tmp_path)

    assert run.returncode == 0, run.stdout[-2000:]
    counts = json.loads(run.stdout.splitlines()[-1])
    print(counts)
    assert counts["cuts"] > 30
    assert counts["repeated"] == 0
    assert counts["most_wasted"] <= 4


def test_every_vector_of_oscore_holds_with_the_boards_own_cipher(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    run = run_micropython(["-m", "tests.device.own_cipher", str(VECTORS)], tmp_path)

    assert run.returncode == 0, run.stdout
    assert "0 failed" in run.stdout
