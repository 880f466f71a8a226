"""`python -m tests.board [FOLDER]`: a virtual board to try commands on, until Ctrl-C."""

import sys
import tempfile
import threading
from pathlib import Path

from tests.board.virtual import VirtualBoard


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        with VirtualBoard(folder) as board:
            print(f"a board is at {board.port}; Ctrl-C ends it", flush=True)
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                pass


if __name__ == "__main__":
    main()
