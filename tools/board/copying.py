"""Puts the program on a board: what is there already stays as it is.

How its slots stand is in the file `slot` of the state folder, which is device/slots.py's.
"""

from collections.abc import Callable, Mapping

from tools import firmware
from tools.board import facts, layout, program
from tools.board.facts import Facts
from tools.board.layout import Plan
from tools.board.link import Board

_CHOOSE = """
import json, os
changed = False
try:
    os.stat('/data/slot')
    import slots
    s = slots.Slots('/', '/data')
    changed = s.active != 'a' or bool(s.trial or s.wanted)
except OSError:
    pass
if changed:
    s.active = 'a'
    s.trial = s.wanted = ''
    s.starts = s.attempts = s.counter = 0
    s.save()
print(json.dumps(changed))
"""
Progress = Callable[[str, int, int], None]


def wanted_on(found: Facts, *, signs: bool) -> dict[str, bytes]:
    """Path -> content of all that `flash` owns."""
    cache = firmware.cache()
    table = firmware.table(cache).read_bytes() if signs else b""
    return layout.files(program.modules(found.port, cache), table)


def plan(board: Board, found: Facts, wanted: Mapping[str, bytes]) -> Plan:
    """What is to be done. FullError where it would not fit; nothing is written yet."""
    made = layout.plan(wanted, board.tree(*layout.CODE))
    facts.check_room(found, [len(wanted[path]) for path in made.put], [0] * len(made.remove))
    return made


def carry_out(board: Board, made: Plan, wanted: Mapping[str, bytes], progress: Progress) -> None:
    """Unplugged in the middle, the board stands still until a second run completes it."""
    if made.is_empty:
        return
    if layout.MAIN in made.remove:
        # the program's watchdog goes on without it, until the board is reset
        board.remove(layout.MAIN)
        board.reset_and_return()
    for path in made.remove:
        board.remove(path)
    for folder in made.folders:
        board.mkdir(folder)
    total = sum(len(wanted[path]) for path in made.put)
    done = 0
    for path in made.put:
        board.put(path, wanted[path])
        done += len(wanted[path])
        progress("copying", done, total)


def choose_slot(board: Board) -> bool:
    """The slot that was flashed is the one to run, whatever came over the air; was it another?"""
    (changed,) = board.ask(_CHOOSE, "choosing the slot")
    return bool(changed)
