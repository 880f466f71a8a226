"""The comparison for people: two tables in Markdown, with footnotes."""

from typing import Any

from tests.compare.attacks import ATTACKS, CONTROL
from tests.compare.systems import CANNOT_BE_ASKED, CAUGHT_BY

_NAMES = {
    "tallystick": "Tallystick",
    "auditedb": "AuditeDB",
    "rust_py_audit": "rust-py-audit",
    "audit_stream": "audit-stream",
}
_MB = 1_000_000


def text(result: dict[str, Any]) -> str:
    """`result` is what `--json` prints."""
    notes: list[str] = []
    blocks = [
        _table(_attack_rows(result, notes)),
        "\n".join(f"{n}. {note[0].upper()}{note[1:]}." for n, note in enumerate(notes, 1)),
        _table(_speed_rows(result)),
        "\n".join(f"- **{_named(result, name)}**: {row['about']}." for name, row in _all(result)),
        f"{result['machine']}; {result['events']:,} events, median of {result['rounds']}",
    ]
    return "\n\n".join(blocks)


def _attack_rows(result: dict[str, Any], notes: list[str]) -> list[list[str]]:
    rows = [["attack", *(_named(result, system) for system, _ in _all(result))]]
    for attack, what in ATTACKS.items():
        rows.append([what, *(_cell(row["attacks"][attack], notes) for _, row in _all(result))])
    rows.append(["**caught**", *(_caught(row["attacks"]) for _, row in _all(result))])
    return rows


def _cell(cell: dict[str, Any], notes: list[str]) -> str:
    if not cell["note"]:
        return str(cell["word"])
    if cell["note"] not in notes:
        notes.append(cell["note"])
    return f"{cell['word']} ({notes.index(cell['note']) + 1})"


def _caught(cells: dict[str, Any]) -> str:
    words = [cell["word"] for attack, cell in cells.items() if attack != CONTROL]
    asked = [word for word in words if word != CANNOT_BE_ASKED]
    return f"**{sum(word in CAUGHT_BY.values() for word in asked)} of {len(asked)}**"


def _speed_rows(result: dict[str, Any]) -> list[list[str]]:
    head = ["verify", "events/s", "times Tallystick's", "peak memory", "bytes on disk per event"]
    rows = [head]
    for system, row in _all(result):
        speed = row["speed"]
        on_disk = speed["disk_bytes_per_event"]
        rows.append(
            [
                _named(result, system),
                f"{speed['events_per_s']:,}",
                f"{speed['ratio']:.2f}",
                f"{speed['peak_bytes'] / _MB:.0f} MB",
                f"{on_disk:.0f}" if on_disk else "keeps nothing",
            ]
        )
    return rows


def _all(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(result["systems"].items())


def _named(result: dict[str, Any], system: str) -> str:
    return f"{_NAMES[system]} {result['systems'][system]['version']}"


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
