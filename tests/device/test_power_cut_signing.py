"""Power cuts at every flash operation of a board that signs: one key, and no nonce twice."""

import json
from pathlib import Path

import pytest

from tests.interpreters import ROOT, run_micropython

SWEEP = Path(__file__).with_name("signing_sweep.py")


@pytest.mark.parametrize("program_bytes", [256, pytest.param(32, marks=pytest.mark.slow)])
def test_no_power_cut_breaks_a_key_or_repeats_a_nonce(program_bytes, tmp_path, table, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = ["-X", "heapsize=8M", str(SWEEP), str(program_bytes), str(table.parent)]

    run = run_micropython(arguments, tmp_path)

    assert run.returncode == 0, run.stdout[-2000:]
    # finalisers of files on a dead flash say so in between
    made, lived = [json.loads(line) for line in run.stdout.splitlines() if line[0] == "{"]
    print(made, lived)
    assert made["key_cuts"] >= 4
    assert lived["cuts"] >= 20
    assert (made["broken_keys"], made["changed_keys"], lived["reused_nonces"]) == (0, 0, 0)
