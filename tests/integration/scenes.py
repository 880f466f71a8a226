"""A gateway with its collector after an attack, and everybody who may notice."""

from pathlib import Path
from typing import NamedTuple

from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.ledger import fsck
from gateway.store.sqlite import SqliteStore
from tests.integration.harness import ORIGIN, Site
from tests.load import LoadDevice
from tools.processes import Service
from tools.verify import Held, verdicts_of

SILENT = None


class Scene(NamedTuple):
    """A gateway with its collector, stopped, and what others hold of its past."""

    site: Site
    older_note: str  # a checkpoint that a reader kept
    older_copy: Path  # the gateway's directory at that time
    newest_note: str  # what another reader kept, later
    vkey: str

    @property
    def directory(self) -> Directory:
        return Directory(self.site.gateway_dir)


def fill(site: Site, name: str, at_least: int) -> None:
    """Both services run until a new device has so many packs kept and collected."""
    site.start_collector()
    site.start_gateway()
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) >= at_least, "the device's packs are kept")
    device.end()
    site.wait_until_collected()
    site.stop()


# --- who looks, and what they say; SILENT where they find nothing --------------------------


def reader(scene: Scene) -> str | None:
    """A stranger with the verifier key, and nothing kept."""
    return _verified(scene, "")


def holder(scene: Scene) -> str | None:
    """The same, who kept an older checkpoint."""
    return _verified(scene, scene.older_note)


def last_holder(scene: Scene) -> str | None:
    """The same, who kept the last one."""
    return _verified(scene, scene.newest_note)


def _verified(scene: Scene, kept: str) -> str | None:
    held = Held([kept] if kept else [])
    (verdict,) = verdicts_of(str(scene.site.gateway_dir), scene.vkey, held=held)
    return SILENT if verdict.valid else f"WRONG at entry {verdict.first_bad}: {verdict.reason}"


def knows_the_new_key(scene: Scene) -> str | None:
    """A stranger with the verifier key of today, where it was rotated."""
    return _verified(scene._replace(vkey=scene.directory.verifier.read_text().strip()), "")


def checker(scene: Scene) -> str | None:
    """The gateway's own fsck, held to its last checkpoint."""
    store = SqliteStore(scene.directory.ledger)
    report = fsck.check(store, ORIGIN, scene.directory.checkpoint.read_text())
    store.close()
    return SILENT if report.valid else f"entry {report.first_bad}: {report.reason}"


def start(scene: Scene) -> str | None:
    """The gateway itself, started where its collector cannot be asked."""
    try:
        scene.site.start_gateway()
    except ConfigError as refusal:
        return str(refusal)
    finally:
        scene.site.stop()
    return SILENT


def collector(scene: Scene) -> str | None:
    """The collector: asked at the start, or sent what it must refuse."""
    scene.site.start_collector()
    try:
        gateway = scene.site.start_gateway()
    except ConfigError as refusal:
        return str(refusal)
    else:
        return _refusal(scene, gateway)
    finally:
        scene.site.stop()


def _refusal(scene: Scene, gateway: Service) -> str | None:
    """What the collector says once something new has to go to it."""
    device = LoadDevice(scene.site.enrol("load-3"))
    device.start()

    def told() -> bool:
        return not gateway.running or bool(device.kept and _forwarded(gateway))

    scene.site.wait_until(told, "the gateway stops, or its batch is answered")
    device.end()
    if gateway.running:
        return gateway.get("/stats")["forward"]["last_failure"]
    return scene.site.gateway_log()


def _forwarded(gateway: Service) -> bool:
    forward = gateway.get("/stats")["forward"]
    return forward["last_failure"] is not None or forward["behind"] == 0
