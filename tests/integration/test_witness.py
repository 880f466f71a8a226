"""Others remember: anchors over real sockets, through outages, kills and rollbacks."""

import os
import shutil
from collections.abc import Callable, Iterator

import httpx2 as httpx
import pytest

from gateway.errors import ConfigError
from gateway.ledger.signer import verify_signature
from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol import policy as policies
from tests.integration import kills_witness
from tests.integration.harness import ORIGIN, Site
from tests.integration.neighbours import (
    NeighbourGateway,
    anchor,
    collector_vkey,
    policy_of,
    wait_until_anchored,
)
from tests.load import LoadDevice
from tools.verify import Held, verdicts_of


@pytest.fixture
def neighbour(site: Site) -> Iterator[Callable[[str], NeighbourGateway]]:
    made: list[NeighbourGateway] = []

    def make(name: str = "neighbour") -> NeighbourGateway:
        made.append(NeighbourGateway(site, name))
        return made[-1]

    yield make
    for gateway in made:
        gateway.stop()


def standing(site: Site) -> dict:
    return site.gateway.get("/stats")["anchor"]


def failure(site: Site) -> str | None:
    return standing(site)["witnesses"][0]["last_failure"]


def fill(site: Site, name: str = "load-1", at_least: int = 20) -> None:
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) >= at_least, "the device's packs are kept")
    device.end()


def anchored_note(site: Site) -> str:
    return httpx.get(f"{site.gateway.url}/checkpoint?anchored=1").text


@pytest.mark.integration
def test_a_neighbour_cosigns_while_the_collector_is_down(site: Site, neighbour) -> None:
    witness = neighbour()
    witness.start()
    anchor(site, (witness.vkey, witness.url))
    site.start_gateway()
    fill(site)

    wait_until_anchored(site)

    note, size = anchored_note(site), standing(site)["size"]
    policy = policies.parse(policy_of(site, witness.vkey))
    assert policies.check(policy, notes.parse_note(note), verify_signature)
    assert policies.log_key(policy, notes.parse_note(note), ORIGIN, verify_signature)
    assert checkpoints.unverified(note).size == size > 20
    assert standing(site)["age_seconds"] == 0
    proof = httpx.get(f"{site.gateway.url}/events/3/proof").text
    assert note in proof


@pytest.mark.integration
def test_the_anchor_age_grows_while_all_witnesses_are_away_and_then_falls_to_0(
    site: Site, neighbour
) -> None:
    witness = neighbour()
    service = witness.start()
    anchor(site, (witness.vkey, witness.url))
    site.start_gateway()
    fill(site)
    wait_until_anchored(site)

    service.kill()
    fill(site, "load-2")
    before = standing(site)["age_seconds"]
    site.wait_until(lambda: failure(site) == "unreachable", "the witness was asked in vain")
    site.wait_until(lambda: standing(site)["age_seconds"] > before + 0.5, "the age grows")
    away = standing(site)
    witness.start()
    wait_until_anchored(site)

    assert away["unanchored"] >= 20
    assert standing(site)["age_seconds"] == standing(site)["unanchored"] == 0


@pytest.mark.integration
def test_the_collector_anchors_with_its_answers_and_after_its_restart(site: Site) -> None:
    collector = site.start_collector()
    anchor(site, (collector_vkey(site), ""))
    site.start_gateway()
    fill(site)
    wait_until_anchored(site)

    collector.kill()
    fill(site, "load-2")
    site.start_collector()
    wait_until_anchored(site)

    policy = policies.parse(policy_of(site, collector_vkey(site)))
    assert policies.check(policy, notes.parse_note(anchored_note(site)), verify_signature)
    text = httpx.get(f"{site.gateway.url}/metrics").text
    assert "tallystick_unanchored_entries 0.0" in text


@pytest.mark.integration
def test_collector_and_neighbour_both_cosign_the_same_checkpoints(site: Site, neighbour) -> None:
    witness = neighbour()
    witness.start()
    site.start_collector()
    anchor(site, (collector_vkey(site), ""), (witness.vkey, witness.url), quorum=2)
    site.start_gateway()
    fill(site)

    wait_until_anchored(site)

    policy = policies.parse(policy_of(site, collector_vkey(site), witness.vkey))
    alone = policies.parse(policy_of(site, collector_vkey(site)))
    assert len(policies.check(policy, notes.parse_note(anchored_note(site)), verify_signature)) == 2
    site.stop()
    (ours,) = verdicts_of(str(site.gateway_dir), held=Held(policy=policy))
    (theirs,) = verdicts_of(str(site.collector_dir), held=Held(policy=alone))
    assert (ours.valid, len(ours.cosigned_by), ours.cosigned) == (True, 2, ours.entries)
    assert (theirs.valid, len(theirs.cosigned_by), theirs.root) == (True, 1, ours.root)


@pytest.mark.integration
@pytest.mark.damages_ledgers
def test_a_gateway_whose_directory_was_set_back_is_stopped_by_its_neighbour(
    site: Site, neighbour
) -> None:
    """No collector: only the neighbour remembers."""
    witness = neighbour()
    witness.start()
    anchor(site, (witness.vkey, witness.url))
    gateway = site.start_gateway()
    fill(site)
    wait_until_anchored(site)
    gateway.stop()
    older = site.gateway_dir.with_name("older")
    shutil.copytree(site.gateway_dir, older)
    gateway = site.start_gateway()
    fill(site, "load-2")
    wait_until_anchored(site)
    gateway.stop()

    shutil.rmtree(site.gateway_dir)
    shutil.copytree(older, site.gateway_dir)
    with pytest.raises(ConfigError) as refusal:
        site.start_gateway()

    assert "the witness neighbour.invalid/ledger/witness has seen" in str(refusal.value)
    assert (site.gateway_dir / "quarantine").exists()


@pytest.mark.integration
def test_a_witness_without_its_memory_does_not_start(site: Site, neighbour) -> None:
    witness = neighbour()
    (witness.path / "witness.sqlite").unlink()

    with pytest.raises(ConfigError) as refusal:
        witness.start()

    assert "must not cosign again" in str(refusal.value)
    assert "tallystick new-witness DIR --name NEW-NAME" in str(refusal.value)


# --- kills ----------------------------------------------------------------------------------


@pytest.mark.integration
def test_a_killed_witness_never_cosigns_less_or_another_tree(site: Site, neighbour) -> None:
    kills_witness.campaign(neighbour(), kills=4, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.integration
@pytest.mark.slow
def test_a_witness_that_is_killed_many_times_never_cosigns_less_or_another_tree(
    site: Site, neighbour
) -> None:
    kills, seed = int(os.environ.get("KILLS", "50")), int(os.environ.get("SEED", "2"))
    kills_witness.campaign(neighbour(), kills=kills, seed=seed)
