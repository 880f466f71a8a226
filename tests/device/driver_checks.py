"""Checks of the sensor drivers on model chips, on whichever interpreter runs this.

Uses only what MicroPython has; pytest runs each on CPython and all of them inside MicroPython.
"""

from device.sensors import analogue, bme280, dht22, open_sensor, pulses, sht31
from protocol.cbor import decimal
from tests.device import chips

# Bosch's worked example, BST-BMP280-DS001 §3.12: the BME280 compensates these two alike. The
# figure there says 25767236; the formula of whole numbers beside it gives 3/256 Pa less.
TEMPERATURES = (27504, 26435, -1000)
PRESSURES = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
RAW_TEMPERATURE, RAW_PRESSURE = 519_888, 415_148
FINE, CENTIDEGREES, PASCALS_256 = 128_422, 2508, 25_767_233
# Near those of a shipped part, with every nibble and sign to tell apart.
HUMIDITIES = (75, 362, 3, 333, -51, -30)
RAW_HUMIDITY = 29_000
CALIBRATION = (TEMPERATURES, PRESSURES, HUMIDITIES)
SAMPLE = (RAW_PRESSURE, RAW_TEMPERATURE, RAW_HUMIDITY)
I2C = {"bus": 0, "sda": 4, "scl": 5}


class Board:
    def __init__(self, wired):
        self._wired = wired

    def wiring(self):
        return self._wired


def keys_of(driver, **given):
    """What config.json would give: the defaults, and what is given."""
    keys = {}
    for key, allowed in driver.KEYS.items():
        keys[key] = allowed if isinstance(allowed, str) else allowed[0]
    keys.update(given)
    return keys


def opened(driver, wired, **given):
    return driver.Sensor(Board(wired), keys_of(driver, **given))


def with_bme280(samples=(SAMPLE,)):
    wired = chips.Wiring()
    wired.chips[0x76] = chips.Bme280(CALIBRATION, list(samples))
    return wired, wired.chips[0x76]


def with_sht31(temperature=26_000, humidity=30_000):
    wired = chips.Wiring()
    wired.chips[0x44] = chips.Sht31(temperature, humidity)
    return wired, wired.chips[0x44]


def fault(call):
    """What the call raises; it must raise something."""
    try:
        got = call()
    except Exception as error:
        return error
    raise AssertionError("no error, but " + repr(got))


# BME280


def check_bme280_compensates_as_in_the_data_sheets_worked_example():
    assert bme280.fine_temperature(TEMPERATURES, RAW_TEMPERATURE) == FINE
    assert bme280.pressure_256(PRESSURES, FINE, RAW_PRESSURE) == PASCALS_256


def check_bme280_reads_three_quantities():
    wired, _ = with_bme280()

    quantities = opened(bme280, wired, sda=4, scl=5).read()

    assert quantities[0] == ("temperature", "Cel", decimal(CENTIDEGREES, -2))
    percent_1024 = bme280.humidity_1024(HUMIDITIES, FINE, RAW_HUMIDITY)
    assert quantities[1] == ("humidity", "%RH", decimal(percent_1024 * 100 + 512 >> 10, -2))
    assert quantities[2] == ("pressure", "Pa", 100_653)


def check_bme280_reads_all_of_one_measurement_and_never_half_of_two():
    colder = (RAW_PRESSURE + 20_000, RAW_TEMPERATURE - 60_000, RAW_HUMIDITY - 4000)
    wired, _ = with_bme280([SAMPLE, colder])
    sensor = opened(bme280, wired, sda=4, scl=5)

    reads = [sensor.read() for _ in range(4)]

    assert reads[0] == reads[2] != reads[1] == reads[3]


def check_bme280_that_lost_its_power_measures_all_three_again():
    wired, chip = with_bme280()
    sensor = opened(bme280, wired, sda=4, scl=5)
    before = sensor.read()
    chip.lose_power()

    assert sensor.read() == before


def check_bme280_that_is_not_there_is_an_error_at_once():
    assert isinstance(fault(lambda: opened(bme280, chips.Wiring(), sda=4, scl=5)), OSError)


def check_another_chip_at_its_address_is_refused():
    wired, chip = with_bme280()
    chip.ID = 0x58  # a BMP280
    chip.lose_power()

    assert isinstance(fault(lambda: opened(bme280, wired, sda=4, scl=5)), OSError)


def check_bme280_that_never_ends_is_given_up():
    wired, chip = with_bme280()
    sensor = opened(bme280, wired, sda=4, scl=5)
    chip.endless = True

    assert isinstance(fault(sensor.read), OSError)
    assert wired.now_ms <= 100


def check_bme280_out_of_its_range_has_no_value():
    for sample in ((RAW_PRESSURE, 1000, 29_000), (1000, RAW_TEMPERATURE, 29_000)):
        wired, _ = with_bme280([sample])

        assert isinstance(fault(opened(bme280, wired, sda=4, scl=5).read), ValueError)


# SHT31


def check_the_crc_is_that_of_the_data_sheet():
    assert sht31._crc(0xBE, 0xEF) == 0x92 == chips.crc8(b"\xbe\xef")


def check_sht31_reads_two_quantities():
    wired, _ = with_sht31(temperature=26_000, humidity=30_000)

    quantities = opened(sht31, wired, sda=4, scl=5).read()

    # -45 + 175 * 26000 / 65535 and 100 * 30000 / 65535
    assert quantities == (
        ("temperature", "Cel", decimal(2443, -2)),
        ("humidity", "%RH", decimal(4578, -2)),
    )


def check_sht31_with_any_bit_of_its_crc_wrong_is_an_error():
    wired, chip = with_sht31()
    sensor = opened(sht31, wired, sda=4, scl=5)
    for bit in range(8):
        chip.flip = 1 << bit

        assert isinstance(fault(sensor.read), OSError)


def check_sht31_out_of_its_range_has_no_value():
    wired, _ = with_sht31(temperature=65_000)

    assert isinstance(fault(opened(sht31, wired, sda=4, scl=5).read), ValueError)


# Both buses


def check_a_stuck_bus_never_gives_a_value():
    for level in (0, 1, "clock"):
        for driver, make in ((bme280, with_bme280), (sht31, with_sht31)):
            wired, _ = make()
            sensor = opened(driver, wired, sda=4, scl=5)
            wired.stuck = level

            assert isinstance(fault(sensor.read), (OSError, ValueError)), (driver, level)


def check_a_bus_that_was_stuck_from_the_start_opens_nothing():
    for level in (0, 1, "clock"):
        wired, _ = with_bme280()
        wired.stuck = level

        assert isinstance(fault(lambda: opened(bme280, wired, sda=4, scl=5)), OSError)  # noqa: B023


def check_a_sensor_pulled_out_is_an_error_and_back_in_it_reads_again():
    wired, chip = with_sht31()
    sensor = opened(sht31, wired, sda=4, scl=5)
    wired.chips.clear()
    assert isinstance(fault(sensor.read), OSError)
    wired.chips[0x44] = chip

    assert len(sensor.read()) == 2


# DHT22


def sent(humidity, temperature):
    """The five bytes: tenths, the sign apart."""
    sign = 0x8000 if temperature < 0 else 0
    data = humidity.to_bytes(2, "big") + (abs(temperature) | sign).to_bytes(2, "big")
    return data + bytes([sum(data) & 0xFF])


def check_dht22_reads_as_its_data_sheet_says():
    wired = chips.Wiring()
    sensor = opened(dht22, wired, pin=2)
    for humidity, temperature in ((652, 351), (500, 0), (0, 1), (1000, -400), (10, 800)):
        wired.wire = sent(humidity, temperature)

        assert sensor.read() == (
            ("temperature", "Cel", decimal(temperature, -1)),
            ("humidity", "%RH", decimal(humidity, -1)),
        )


def check_dht22_with_a_fault_on_the_wire_is_an_error():
    wired = chips.Wiring()
    sensor = opened(dht22, wired, pin=2)
    wrong_sum = bytearray(sent(652, 351))
    wrong_sum[1] ^= 4
    for data in (
        b"",
        sent(652, 351)[:3],
        bytes(wrong_sum),
        bytes(5),
        sent(1001, 200),
        sent(500, 801),
    ):
        wired.wire = bytes(data)

        fault(sensor.read)


# Analogue pin


def check_an_analogue_pin_is_scaled_in_whole_numbers():
    wired = chips.Wiring()
    volts = opened(analogue, wired, pin=26)
    # 4 to 20 mA over 150 ohm, for 0 to 5 bar: raw 11915 to 59577 of 3.3 V
    bars = opened(
        analogue,
        wired,
        pin=26,
        unit="bar",
        multiply=5000,
        divide=47_662,
        offset=-1250,
        least=11_915,
    )
    wired.raw = 11_915

    assert volts.read() == (("", "V", decimal(599, -3)),)
    assert bars.read() == (("", "bar", decimal(-1, -3)),)

    wired.raw = 11_914  # the loop is broken
    assert isinstance(fault(bars.read), ValueError)


# Pulses


def check_pulses_are_counted_over_the_counters_overflow():
    wired = chips.Wiring()
    sensor = opened(pulses, wired, pin=15)
    totals = []
    for count in (5, 0x3FFFFFFF, 0, 7):  # one more than the mask is 0
        wired.counter.count = count
        totals.append(sensor.read()[0][2])

    assert totals == [5, 0x3FFFFFFF, 0x40000000, 0x40000007]


# Loading


def check_a_driver_is_loaded_by_the_name_in_config_json():
    wired, _ = with_bme280()

    sensor = open_sensor("bme280", Board(wired), keys_of(bme280, sda=4, scl=5))

    assert len(sensor.read()) == 3


def checks():
    return sorted([name for name in globals() if name.startswith("check_")])


def main():
    for name in checks():
        globals()[name]()
    print(f"{len(checks())} checks hold")


if __name__ == "__main__":
    main()
