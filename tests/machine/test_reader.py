"""The card desk at a real USB port: kernel, udev, group, and the service's sandbox between the chip and the API.

The chip is the simulated one; from the FTDI adapter on, all is what a site has.
"""

from __future__ import annotations

import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.reader import SimulatedReader
from tests.machine.box import Box, until_card, until_desk, until_job

pytestmark = pytest.mark.machine

# A reader with a USB plug of its own, as far as its descriptors: the kernel's own loop joins both ends of the lead.
GADGET = """
set -e
modprobe dummy_hcd; modprobe libcomposite
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
mkdir -p /sys/kernel/config/usb_gadget/reader; cd /sys/kernel/config/usb_gadget/reader
echo 0x054c >idVendor; echo 0x06c3 >idProduct
mkdir -p strings/0x409 configs/c.1 functions/SourceSink.0
echo SONY >strings/0x409/manufacturer; echo RC-S380/P >strings/0x409/product
ln -s functions/SourceSink.0 configs/c.1/
ls /sys/class/udc >UDC
udevadm settle
"""
GADGET_NODE = """
for folder in /sys/bus/usb/devices/*; do
    [ "$(cat $folder/idVendor 2>/dev/null):$(cat $folder/idProduct 2>/dev/null)" = 054c:06c3 ] || continue
    printf '/dev/bus/usb/%03d/%03d %s\\n' $(cat $folder/busnum) $(cat $folder/devnum) $(cat $folder/power/control)
done"""
MODALIAS = "usb:v054Cp06C3d0000dc00dsc00dp00icFFiscFFipFFin00"


async def test_reader_is_found_when_it_is_plugged_in_and_belongs_to_the_service(
    box: Box, simulated: SimulatedReader
) -> None:
    async with box.site() as site:
        desk = await until_desk(site, "ready")

    assert "PN532" in desk["reader"]["name"]
    assert box.machine.run("stat --format '%U:%G %a' /dev/ttyUSB0") == "root:forecourt 660\n"
    assert "ID_MM_DEVICE_IGNORE=1" in box.machine.run("udevadm info /dev/ttyUSB0")
    assert simulated.plugged


async def test_card_is_issued_over_the_usb(box: Box, simulated: SimulatedReader) -> None:
    card = catalogue.make(Kind.NTAG213)
    async with box.site() as site:
        await until_desk(site, "ready")
        group = await site.post("/groups", {"name": "At the desk", "policy": "prepaid"})
        wish = {"name": "Nasima Begum", "group_id": group["id"], "topup_minor": 50_000, "method": "cash"}
        job = (await site.post("/desks/desk/issue", wish, status=202))["job"]
        simulated.lay(card)
        done = await until_job(site, job, "done")
        shown = await until_card(site, card.uid.hex().upper())
        assert (shown["ours"], shown["person_id"], shown["balance_minor"]) == (True, done["person_id"], 50_000)
        assert await site.sound()

    assert card.writes > 0


async def test_reader_that_was_pulled_out_is_used_again_when_it_is_back(box: Box, simulated: SimulatedReader) -> None:
    simulated.lay(catalogue.make(Kind.NTAG213))
    async with box.site() as site:
        await until_desk(site, "ready")
        for _ in range(2):
            box.machine.pull_out()
            simulated.unplug()
            desk = await until_desk(site, "looking")
            assert desk["card"] is None
            simulated.replug()
            box.machine.plug_in(simulated.path)
            await until_desk(site, "ready")
            assert await until_card(site, simulated.cards[0].uid.hex().upper())


async def test_reader_with_a_plug_of_its_own_is_given_to_the_service_and_to_no_driver_of_the_kernel(box: Box) -> None:
    assert "port100" in box.machine.run(f"modprobe --resolve-alias {MODALIAS}")

    box.machine.run(GADGET)

    box.machine.until(f"{GADGET_NODE} | grep . && udevadm settle")
    node, power = box.machine.run(GADGET_NODE).split()
    assert box.machine.run(f"stat --format '%U:%G %a' {node}") == "root:forecourt 660\n"
    assert power == "on"
    assert box.machine.attempt("lsmod | grep -E '^(port100|pn533|nfc) '")[0] == 1
    async with box.site() as site:
        # It was opened and asked; there is nobody behind it who could answer.
        await until_desk(site, "deaf")
        box.machine.run("echo >/sys/kernel/config/usb_gadget/reader/UDC")
        await until_desk(site, "looking")
