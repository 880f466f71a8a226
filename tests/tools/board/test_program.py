"""Which modules a board gets: all that its agent can import, and nothing of the gateway's."""

import pytest

from tools.board import program


@pytest.mark.parametrize(("port", "own"), [("rp2", "rp2"), ("esp32", "esp32"), ("linux", "unix")])
def test_a_board_gets_its_own_port_and_no_other(port, own):
    needed = program.needed(port)

    ports = {name for name in ("rp2", "esp32", "unix") if f"device/board/{name}.py" in needed}
    assert ports == {own}
    assert "device/board/firmware.py" in needed


def test_what_the_device_imports_is_there_and_what_only_gateways_do_is_not():
    needed = program.needed("rp2")

    assert {"device/agent.py", "protocol/__init__.py", "protocol/senml.py"} <= set(needed)
    assert not {"protocol/merkle.py", "protocol/proof.py", "protocol/rulings.py"} & set(needed)
    assert not {"device/shapes.py", "device/board/cpython.py"} & set(needed)


def test_imports_inside_functions_count_and_those_for_types_do_not(tmp_path):
    source = tmp_path / "one.py"
    source.write_text(
        "from protocol import cbor\n"
        "TYPE_CHECKING = False\n"
        "if TYPE_CHECKING:\n    from protocol import merkle\n"
        "def later():\n    import protocol.senml\n"
    )

    imported = program._imported(source)

    assert {"protocol/cbor.py", "protocol/senml.py"} <= set(imported)
    assert "protocol/merkle.py" not in imported
