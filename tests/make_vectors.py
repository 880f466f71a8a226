"""Regenerates tests/vectors: `python -m tests.make_vectors`, `--check` to compare only.

What is right is said by others (`tests.protocol.oracles`), never by `protocol` itself.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"
FORMATS = (
    "audit",
    "batch",
    "cbor",
    "ccm",
    "checkpoint",
    "coap",
    "coap_door",
    "control",
    "cose_mac0",
    "cose_receipt",
    "cosignature",
    "ecdsa",
    "ecdsa_verify",
    "enrolment",
    "envelope",
    "exchange",
    "fault",
    "kid",
    "leaf",
    "mac",
    "manifest",
    "merkle",
    "oscore",
    "placing",
    "policy",
    "proof",
    "prune",
    "receipt",
    "recovery",
    "resource",
    "rotation",
    "rulings",
    "senml",
    "sign1",
    "tile",
    "witnessing",
)


def rendered(format_name: str) -> str:
    """The text of one vector file: a case a line."""
    cases = importlib.import_module(f"tests.protocol.cases.{format_name}").cases()
    names = [case["name"] for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{format_name}: two cases are called {twice}")
    return "[\n" + ",\n".join(f"  {_line(case)}" for case in cases) + "\n]\n"


def _line(case: dict[str, Any]) -> str:
    return json.dumps(case, ensure_ascii=True)


def outdated() -> list[str]:
    """The formats whose committed file is not what would be written now."""
    return [name for name in FORMATS if _path(name).read_text() != rendered(name)]


def _path(format_name: str) -> Path:
    return VECTORS / f"{format_name}.json"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        wrong = outdated()
        for name in wrong:
            print(f"tests/vectors/{name}.json is not what make_vectors writes")
        return 1 if wrong else 0
    VECTORS.mkdir(exist_ok=True)
    for name in FORMATS:
        _path(name).write_text(rendered(name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
