"""doctor and status of gateways that run, and of collectors that do or do not."""

import json
import re
from typing import Any

import pytest

from tests.integration import commands
from tests.integration.harness import Site
from tests.integration.test_reads_verify import VICTIM, fill_alone, tampered


def tallystick(*arguments: object) -> tuple[int, Any]:
    """Exit code, and the JSON that was printed."""
    done = commands.tallystick(*arguments, "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def listening_where_it_says(site: Site) -> None:
    """The harness starts a gateway on a port that its configuration does not name."""
    file = site.gateway_dir / "tallystick.toml"
    file.write_text(re.sub("port = 8080", f"port = {site.gateway_http}", file.read_text()))


def diagnosed(site: Site) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Exit code, and name -> level and text of each line of that name."""
    code, lines = tallystick("doctor", site.gateway_dir, "--quick")
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        found.setdefault(line["name"], []).append((line["level"], line["text"]))
    return code, found


@pytest.mark.integration
def test_a_gateway_and_its_collector_are_well(site: Site) -> None:
    listening_where_it_says(site)
    (site.gateway_dir.parent / "upstream.token").chmod(0o600)
    fill_alone(site)
    site.start_collector()
    gateway = site.start_gateway()
    site.wait_until_collected()

    by_url, by_directory = tallystick("status", gateway.url), tallystick("status", site.gateway_dir)
    code, found = diagnosed(site)

    assert (by_url[0], by_directory[0], code) == (0, 0, 0), found
    assert by_url[1]["status"] == "ok"
    assert by_url[1]["forward"]["behind"] == 0
    assert by_directory[1]["running"].startswith(f"process {gateway.pid} (gateway")
    assert by_directory[1]["pending"] == 0  # only the gateway itself knows
    assert found["health"] == [("ok", "ok")]
    assert found["collector"][0][0] == "ok"
    assert f"{by_url[1]['size']} entries" in found["collector"][0][1]
    assert found["running"] == [("ok", by_directory[1]["running"])]


@pytest.mark.integration
def test_what_is_wrong_is_told_and_is_the_exit_code(site: Site) -> None:
    listening_where_it_says(site)
    fill_alone(site)
    mend = tampered(site.gateway_dir / "ledger.sqlite")
    gateway = site.start_gateway()
    gateway.get(f"/events/{VICTIM}")
    (site.gateway_dir.parent / "upstream.token").write_text("wrong")
    site.start_collector()

    status_code, seen = tallystick("status", gateway.url)
    doctor_code, found = diagnosed(site)
    mend()
    site.wait_until_collected()  # the gateway itself has the right token still

    assert (status_code, doctor_code) == (1, 1)
    assert any(f"entry {VICTIM}" in fault for fault in seen["faults"])
    assert any(level == "bad" and f"entry {VICTIM}" in text for level, text in found["health"])
    assert found["collector"][0][0] == "bad"
    assert "unauthorized" in found["collector"][0][1]


@pytest.mark.integration
def test_nobody_there_is_failing(site: Site) -> None:
    code, seen = tallystick("status", f"http://127.0.0.1:{site.gateway_http}")

    assert (code, seen["status"]) == (1, "failing")
    assert "does not answer" in seen["faults"][0]
    assert [level for level, _ in diagnosed(site)[1]["collector"]] == ["warn"]
