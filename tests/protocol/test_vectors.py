from tests import make_vectors, run_vectors
from tests.interpreters import ROOT, run_micropython


def test_every_vector_holds_in_cpython(capsys):
    failed = run_vectors.main(str(make_vectors.VECTORS))

    printed = capsys.readouterr().out
    assert failed == 0, printed
    assert " 0 failed" in printed


def test_every_vector_holds_in_micropython(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    run = run_micropython(["-m", "tests.run_vectors", str(make_vectors.VECTORS)], tmp_path)

    assert run.returncode == 0, run.stdout
    assert " 0 failed" in run.stdout


def test_a_vector_that_does_not_hold_is_told(capsys, tmp_path):
    for name in run_vectors.CHECKS:
        case = '[{"name": "one", "hex": "00", "error": "malformed"}]' if name == "cbor" else "[]"
        (tmp_path / f"{name}.json").write_text(case)

    failed = run_vectors.main(str(tmp_path))

    assert failed == 1
    assert "FAILED cbor: one\n" in capsys.readouterr().out


def test_the_vectors_are_what_the_oracles_say():
    assert make_vectors.outdated() == []


def test_every_vector_file_is_checked():
    files = {path.stem for path in make_vectors.VECTORS.glob("*.json")}

    assert files == set(make_vectors.FORMATS) == set(run_vectors.CHECKS)
