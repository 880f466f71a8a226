"""The checks of the drivers, on CPython and inside MicroPython, and against formulas of floats."""

import random
from fractions import Fraction
from pathlib import Path

import pytest

from device.sensors import bme280, dht22, sht31
from protocol.cbor import Decimal
from tests.device import driver_checks
from tests.device.driver_checks import HUMIDITIES, PRESSURES, TEMPERATURES
from tests.interpreters import run_micropython

MAX_HEAP_BYTES = 4096  # of the unix port, about 1.4 times a board's


@pytest.mark.parametrize("name", driver_checks.checks())
def test_it_holds_on_cpython(name):
    getattr(driver_checks, name)()


@pytest.mark.parametrize("driver", [bme280, sht31, dht22])
def test_a_driver_reads_the_quantities_that_it_says(driver):
    wired, _ = driver_checks.with_sht31() if driver is sht31 else driver_checks.with_bme280()
    wired.wire = driver_checks.sent(652, 351)
    pins = {"pin": 2} if driver is dht22 else {"sda": 4, "scl": 5}

    read = driver_checks.opened(driver, wired, **pins).read()

    assert [suffix for suffix, _, _ in read] == list(driver.QUANTITIES)


def test_every_check_holds_inside_micropython(tmp_path):
    run = run_micropython(["-m", "tests.device.driver_checks"], tmp_path)

    print(run.stdout)
    assert run.returncode == 0, run.stdout
    assert f"{len(driver_checks.checks())} checks hold" in run.stdout


def test_what_hardware_drivers_need_is_wired_right_and_counted_without_memory(tmp_path):
    run = run_micropython(["-m", "tests.device.wiring_checks"], tmp_path)

    print(run.stdout)
    assert run.returncode == 0, run.stdout
    assert "all checks hold" in run.stdout


def test_a_driver_takes_little_of_the_heap(tmp_path, compiled_with_names):
    script = str(Path(__file__).with_name("driver_heap.py"))

    run = run_micropython([script], tmp_path, packages=compiled_with_names)

    print(run.stdout)
    assert run.returncode == 0, run.stdout
    taken = {line.split()[0]: sum(map(int, line.split()[-2:])) for line in run.stdout.splitlines()}
    assert len(taken) == 8
    assert max(taken.values()) <= MAX_HEAP_BYTES


def humidity(fine: float, raw: int) -> float:
    """BST-BME280-DS002 §8.1, in doubles."""
    h1, h2, h3, h4, h5, h6 = HUMIDITIES
    part = fine - 76800.0
    wet = (raw - (h4 * 64.0 + h5 / 16384.0 * part)) * (
        h2 / 65536.0 * (1.0 + h6 / 67108864.0 * part * (1.0 + h3 / 67108864.0 * part))
    )
    return min(max(wet * (1.0 - h1 * wet / 524288.0), 0.0), 100.0)


def temperature(raw: int) -> float:
    t1, t2, t3 = TEMPERATURES
    first = (raw / 16384.0 - t1 / 1024.0) * t2
    return first + (raw / 131072.0 - t1 / 8192.0) ** 2 * t3


def pressure(fine: float, raw: int) -> float:
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = PRESSURES
    part = fine / 2.0 - 64000.0
    offset = (part * part * p6 / 32768.0 + part * p5 * 2.0) / 4.0 + p4 * 65536.0
    scale = (1.0 + (p3 * part * part / 524288.0 + p2 * part) / 524288.0 / 32768.0) * p1
    found = (1048576.0 - raw - offset / 4096.0) * 6250.0 / scale
    return found + (p9 * found * found / 2147483648.0 + found * p8 / 32768.0 + p7) / 16.0


def number(value: int | Decimal) -> Fraction:
    mantissa, exponent = value if isinstance(value, Decimal) else (value, 0)
    return mantissa * Fraction(10) ** exponent


def test_the_sht31_rounds_to_hundredths_all_over_its_range():
    for raw in range(1873, 63_665, 61):  # from -40 to 125 degrees
        wired, _ = driver_checks.with_sht31(temperature=raw, humidity=raw)

        (_, _, celsius), (_, _, percent) = driver_checks.opened(sht31, wired, sda=4, scl=5).read()

        half_step = Fraction(1, 200)
        assert abs(number(celsius) - (175 * Fraction(raw, 65_535) - 45)) <= half_step
        assert abs(number(percent) - 100 * Fraction(raw, 65_535)) <= half_step


def test_whole_numbers_agree_with_the_data_sheets_floats_all_over_the_range():
    dice = random.Random(280)
    for _ in range(2000):
        raw_temperature = dice.randrange(330_000, 700_000)
        raw_pressure = dice.randrange(250_000, 600_000)
        raw_humidity = dice.randrange(18_000, 50_000)
        exact = temperature(raw_temperature)

        fine = bme280.fine_temperature(TEMPERATURES, raw_temperature)
        pascals = bme280.pressure_256(PRESSURES, fine, raw_pressure) / 256
        percent = bme280.humidity_1024(HUMIDITIES, fine, raw_humidity) / 1024

        assert abs(fine - exact) < 26  # 0.005 degrees
        assert abs(pascals - pressure(exact, raw_pressure)) < 2
        assert abs(percent - humidity(exact, raw_humidity)) < 0.05
