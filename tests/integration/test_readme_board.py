"""The commands of the README's "On a board", word for word, on a virtual board."""

import re
import shlex

import pytest

from tests.board.virtual import VirtualBoard
from tests.integration.commands import tallystick
from tests.interpreters import ROOT

pytestmark = pytest.mark.integration
SECTION = (ROOT / "README.md").read_text().split("## On a board\n")[1].split("\n## ")[0]
COMMANDS = re.findall(r"^tallystick (.*?)(?: *#.*)?$", SECTION, re.MULTILINE)
INTERACTIVE = ("run ", "repl ")


def test_each_command_does_what_it_says(site, tmp_path, monkeypatch):
    (tmp_path / "garden").symlink_to(site.gateway_dir)
    (tmp_path / "wifi").write_text("words")
    monkeypatch.chdir(tmp_path)
    site.start_gateway()
    tried = []

    with VirtualBoard(tmp_path / "board") as board:
        for line in COMMANDS:
            if line.startswith(INTERACTIVE):
                continue
            typed = line.replace("192.168.1.10:5683", f"127.0.0.1:{site.coap_port}")
            typed = typed.replace("--wifi-ssid shed", "--wifi-ssid shed --wifi-password-file wifi")
            typed = typed.replace("--seconds 30", "--seconds 1")
            typed = re.sub(r"--flash(?= --|$)", "--flash /dev/ttyACM0", typed)
            run = tallystick(*shlex.split(typed.replace("/dev/ttyACM0", board.port)))
            assert run.returncode == 0, (line, run.stdout, run.stderr)
            tried.append(line.split(" /dev")[0])

    assert len(tried) == 6, tried
    assert tried[1] == "device add cellar-1 --dir garden --flash"
