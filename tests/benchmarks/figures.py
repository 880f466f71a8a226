"""Where figures are kept: `baseline.json`, a section for each benchmark."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BASELINE = Path(__file__).with_name("baseline.json")


def held(section: str) -> Any:
    found: dict[str, Any] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    return found.get(section, {})


def report(section: str, found: Any, show: Callable[[Any, Any], None]) -> None:
    """Prints `found` beside the baseline; with --baseline it becomes the baseline."""
    show(found, held(section))
    if "--baseline" in sys.argv:
        everything = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
        BASELINE.write_text(json.dumps(everything | {section: found}, indent=2) + "\n")
