"""Every file a board may get compiles for it; how large they are is in test_budgets.py."""


def test_the_same_files_do_for_every_processor(compiled):
    """Bytecode only, and whole numbers of 31 bits (MicroPython's docs, "MPY files")."""
    heads = {one.name: one.read_bytes()[:4] for one in compiled.rglob("*.mpy")}
    native = [name for name, (_, _, flags, _) in heads.items() if flags >> 2]
    assert len(heads) > 30
    assert native == []
    assert {(head[0], head[1], head[3]) for head in heads.values()} == {(ord("M"), 6, 31)}
