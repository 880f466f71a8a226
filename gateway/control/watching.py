"""Watching: who is to be called when there is something new for a device. Keeps no news itself."""

from collections.abc import Callable


class Watching:
    """Any number of callbacks a name; each is called once for each change, and not told what."""

    def __init__(self) -> None:
        self._changed: dict[str, list[Callable[[], None]]] = {}

    def add(self, name: str, changed: Callable[[], None]) -> Callable[[], None]:
        """What ends it."""
        self._changed.setdefault(name, []).append(changed)

        def end() -> None:
            held = self._changed.get(name, [])
            if changed in held:
                held.remove(changed)
            if not held:
                self._changed.pop(name, None)

        return end

    def tell(self, before: dict[str, bytes], now: dict[str, bytes]) -> None:
        """Calls those for whom `now` says something else than `before`."""
        for name in list(self._changed):
            if before.get(name) != now.get(name):
                for changed in list(self._changed[name]):
                    changed()
