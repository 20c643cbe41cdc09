"""What meters of the field do to a bill, over a real websocket: each story is a charger's messages, four minutes apart.

`S` StartTransaction with its register, `X` that of a card nobody knows, `M` MeterValues with one register each, `I` with what was taken in an interval, `E` StopTransaction.
`K` is `M` in kilowatt-hours, by name. `M?` names no transaction, `M<` and `E<` the one before. `R` restarts the server, `+5` waits five minutes more. 1 kWh costs 12.00.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.identifiers import PersonId
from appliance.domain.units import rfc3339
from appliance.services.cards import cards
from appliance.services.people import people
from appliance.services.wallets import wallets
from tests.ocpp.raw import Client, Server, connected

NOON_MS = 1_795_410_000_000
MINUTE_MS = 60_000
STEP_MS = 4 * MINUTE_MS
UID = "04D4E5F6"
PAID_IN = 60_000
"""50 kWh."""


class Story(NamedTuple):
    """What a charger tells, and what the last session of it comes to."""

    what: str
    told: str
    state: str
    energy_wh: int
    note: str = ""
    figures: tuple[int, ...] = ()
    stop_wanted: str = ""
    paid_in: int = PAID_IN


BOTH = "4076000"
STORIES = (
    Story("by the book", "S 1000; M 1500 2000; E 2500", "ended", 1_500),
    Story(
        "samples count from the start", f"S {BOTH}; M 100 600 1100 1600 2100 2600 3100; E 4079100", "ended", 3_100,
        stop_wanted="credit", paid_in=1_200,
    ),
    Story("the same with money enough", f"S {BOTH}; M 100 600 R 1100 1600; E 4078100", "ended", 2_100),
    Story("only intervals", "S 0; I 500 500 500 500; E 2100", "ended", 2_100, stop_wanted="credit", paid_in=1_200),
    Story("only intervals, with money enough", "S 0; I 500 500 R 500; E 1700", "ended", 1_700),
    Story("intervals that are totals", "S 0; I 500 1000 1500 2000; E 2100", "ended", 2_100),
    Story("intervals that are totals, and little money", "S 0; I 500 1000 1500; E 1600", "ended", 1_600, paid_in=4_300),
    Story("intervals that are the register, a little on", "S 120000; I 120500 121000 R 121500; E 122000", "ended", 2_000),
    Story("a stop near the start", "S 10000; M 10300 10600 10900; E 10100", "review", 0, "stop_below", (900, 100)),
    Story(
        "the number of the session before", "S 0; E 1000; S 1000; M< 1500 2000; E 2500", "ended", 1_500, "other_number"
    ),
    Story(
        "the number of the session before, and little money",
        "S 0; E 100; S 100; M< 600 1100 1600; E 1700", "ended", 1_600, "other_number", stop_wanted="credit", paid_in=1_300,
    ),
    Story("garbage", "S 120000; M 120400 4294967295 121200; E 121300", "ended", 1_300),
    Story("garbage and a restart", "S 120000; M 120400 4294967295 R 121200; E 121300", "ended", 1_300),
    Story("2^53", "S 120000; M 120400 9007199254740992 121200; E 121300", "ended", 1_300),
    Story("the lifetime register, of no transaction", "S 0; M 400; M? 350400; M 800; E 900", "ended", 900),
    Story("a small lifetime register, of no transaction", "S 0; M 400; M? 5400; M 800; E 900", "ended", 900),
    Story("a station that names no transaction", "S 1000; M? 1500 2000; E 2500", "ended", 1_500),
    Story("one that cannot be, and a stop of nothing", "S 120000; M 520000; E 0", "review", 0, "registers"),
    Story(
        "the stop counts from the start, and nothing was read", "S 120000; +30; E 7000", "review", 0, "registers", (7_000,)
    ),
    Story("a stop far below the start that cannot be a count from it", "S 9000000; E 8000000", "review", 0, "registers"),
    Story(
        "a start of nothing at a meter of 240 kWh", "S 236000; E 240000; S 0; M 241500; +40; E 246000", "review", 0,
        "start_apart", (6_000, 246_000),
    ),
    Story(
        "the same after an empty session", "S 236000; +20; E 240000; S 0; E 0; S 0; M 241500; +44; E 246000", "review", 0,
        "start_apart", (6_000, 246_000),
    ),
    Story(
        "the same after a card that was refused", "S 236000; +20; E 240000; X 0; E 0; S 0; M 241500; +44; E 246000",
        "review", 0, "start_apart", (6_000, 246_000),
    ),
    Story(
        "the same after a stop that cannot be read", "S 236000; M 240000; E -1; S 0; M 241500; +44; E 246000", "review", 0,
        "start_apart", (6_000, 246_000),
    ),
    Story(
        "the same after a stop of nothing", "S 236000; M 240000; E 0; S 0; M 241500; +44; E 246000", "review", 0,
        "start_apart", (6_000, 246_000),
    ),
    Story(
        "the same after a stop of nothing, and a restart", "S 236000; M 240000; E 0 R; S 0; M 241500; +44; E 246000",
        "review", 0, "start_apart", (6_000, 246_000),
    ),
    Story(
        "a start of nothing at a meter that nobody knows yet", "S 0; M 241500; +44; E 246000", "review", 0, "start_apart",
        (4_500, 246_000),
    ),
    Story(
        "a start of nothing at a small meter, once more", "S 36000; E 40000; S 0; M 40500; E 41000; S 0; M 42000; E 46000",
        "review", 0, "start_apart", (5_000, 46_000),
    ),
    Story("a start of nothing at another meter", "S 236000; E 240000; S 0; M 500 1500; E 2000", "ended", 2_000),
    Story(
        "a start that stands still", "S 236000; E 240000; S 236000; +26; M 241500; E 246000", "review", 0,
        "start_apart", (6_000, 10_000),
    ),
    Story(
        "a small start that stands still", "S 1000; M 4000; E 6000; S 1000; +26; M 6500; M 7500; E 9000", "review", 0,
        "start_apart", (3_000, 8_000),
    ),
    Story("a start that stands still, and nothing taken", "S 1000; E 6000; S 1000; E 6000", "review", 0, "start_apart", (0, 5_000)),
    Story(
        "a start of nothing at a meter that began so", "S 0; +40; E 240000; S 0; +40; E 246000", "review", 0,
        "start_apart", (6_000, 246_000),
    ),
    Story("a start that stands still at a meter that begins anew", "S 1000; E 6000; S 1000; M 1500; E 9000", "ended", 8_000),
    Story("begins where the last one ended, rounded", "S 1000; E 6000; S 5500; M 6100; E 9000", "ended", 3_500),
    Story(
        "begins below where the last one ended", "S 0; E 5000; S 3000; +26; M 5500; E 8000", "review", 0,
        "start_apart", (3_000, 5_000),
    ),
    Story("each session by itself", "S 0; E 3000; S 0; M 3500; E 4000", "ended", 4_000),
    Story("begins anew", "S 10000; M 12000 14000 0 1000 2000; E 2500", "ended", 6_500),
    Story("begins anew, and the server too", "S 10000; M 12000 14000 0 R 1000 R 2000; E 2500", "ended", 6_500),
    Story("a second stop with another reading", "S 0; E 2000; E 5000", "review", 2_000, "second_stop", (2_000, 5_000)),
    Story("a second stop, read a moment later", "S 0; E 2000; E 2001", "ended", 2_000),
    Story("a second stop, read a moment before", "S 0; E 2000; E 1950; E 2100", "ended", 2_000),
    Story("a second stop, by more than a meter moves by itself", "S 0; E 2000; E 2101", "review", 2_000, "second_stop", (2_000, 2_101)),
    Story(
        "a third stop near the second", "S 0; E 2000; E 5000; E 5001; E 1999", "review", 2_000, "second_stop", (2_000, 5_000)
    ),
    Story(
        "a second stop a kilowatt-hour on, in kilowatt-hours", "S 120; M 121700 123400 125200; E 127; E 128", "review", 7_000,
        "second_stop", (7_000, 8_000),
    ),
    Story("the same stop again", "S 0; E 2000; E 2000", "ended", 2_000),
    Story("much in one second", "S 0; -4; E 499000", "review", 0, "too_fast", (499_000,)),
    Story("a stop like the start", "S 10000; M 12000 14000; E 10000", "review", 0, "stop_below", (4_000, 0)),
    Story("start and stop in kilowatt-hours", "S 120; M 121700 123400 125200 R 126100; E 127", "ended", 7_000),
    Story("one watt-hour, and it is read", "S 0; E 1000; S 1000; M 1000 1001; E 1001", "ended", 1),
    Story("kilowatt-hours within minutes", "S 100; E 110", "review", 0, "unit", (10_000, 10)),
    Story("the stop in kilowatt-hours", "S 120500; +20; E 127", "review", 0, "unit", (6_500,)),
    Story("the stop in kilowatt-hours, and readings", "S 120500; M 122000 124000; E 127", "ended", 6_500),
    Story("the start in kilowatt-hours", "S 120; +30; E 127300", "review", 0, "unit", (7_300, 127_180)),
    Story("kilowatt-hours, and nothing tells", "S 120; +30; E 127", "review", 0, "unit", (7_000, 7)),
    Story("kilowatt-hours, and all readings, too", "S 120; M 121 122; +30; M 123; E 127", "review", 0, "unit", (7_000, 7)),
    Story("kilowatt-hours at a charger that tells them", "S 113; M 113700 114900; E 115; S 115; +30; E 127", "ended", 12_000),
    Story("little, and readings in kilowatt-hours", "S 103050; K 103.06 103.1; +20; K 103.127; E 103130", "ended", 80),
    Story("little at a new meter, and readings in kilowatt-hours", "S 0; K 0.01 0.05; +20; K 0.07; E 80", "ended", 80),
    Story(
        "kilowatt-hours, and readings that name them", "S 103; K 103.5 105 107.5; +20; K 109; E 110", "ended", 7_000,
    ),
    Story("kilowatt-hours of a new meter, and one reading that names them", "S 0; K 0.005; +40; E 7", "review", 0, "unit", (7_000, 7)),
    Story("little, and readings without a unit", "S 103050; M 103060 103100; +20; M 103127; E 103130", "review", 0, "unit", (80_000, 80)),
    Story("kilowatt-hours with a fraction", "S 103.127; M 104000 107500; +20; E 110.627", "ended", 7_500),
    Story("the same as texts", 'S "103.127"; M 104000 107500; +20; E "1.10627e2"', "ended", 7_500),
    Story("the same, and a restart", "S 103.127; M 104000 R 107500; +20; E 110.627", "ended", 7_500),
    Story("the same, and only the start has one", "S 103.127; M 104000 107500; +20; E 110", "ended", 6_873),
    Story("the same, and only the stop has one", "S 103; M 104000 107500; +20; E 110.627", "ended", 7_627),
    Story("a stop in kilowatt-hours with a fraction", "S 120500; M 122000 124000; E 127.305", "ended", 6_805),
    Story(
        "kilowatt-hours with a fraction, and nothing tells", "S 103.127; +30; E 110.627", "review", 0, "unit", (7_500, 8)
    ),
    Story(
        "kilowatt-hours with a fraction at a charger that tells them",
        "S 103.127; M 104000 107500; +20; E 110.627; S 110.627; +20; E 115.1; S 115.1; +30; E 115.49", "ended", 390,
    ),
    Story("watt-hours with a fraction", "S 103127.4; M 104000 107500; E 110627.5", "ended", 7_501),
    Story("nothing taken, with a fraction", "S 103.127; +20; E 103.327", "ended", 0),
    Story("little at a charger that tells watt-hours", "S 100000; E 107000; S 107000; +30; E 107040", "ended", 40),
    Story(
        "both begin with nothing", "S 0; +20; E 50000; S 0; +20; E 56000", "review", 0, "start_apart", (6_000, 56_000)
    ),
    Story("both begin with nothing, the second ends lower", "S 0; +20; E 50000; S 0; +20; E 44000", "ended", 44_000),
    Story(
        "each began with nothing before", "S 0; +20; E 50000; S 0; +9; E 4000; S 0; +20; E 50000; S 0; +20; E 56000",
        "ended", 56_000,
    ),
    Story(
        "a reading has shown that each begins with nothing",
        "S 0; +20; E 50000; S 0; M 3000; +20; E 51000; S 0; +20; E 56000", "ended", 56_000,
    ),
    Story(
        "both begin with nothing, and the readings leap", "S 0; +20; E 20000; S 0; M 20500 21000; E 26000", "review", 0,
        "start_apart", (6_000, 26_000),
    ),
    Story("both begin with nothing, and little was taken", "S 0; E 900; S 0; +9; E 2000", "ended", 2_000),
    Story("rolls over", "S 999500; M 999900 300 700; E 1200", "ended", 1_700),
    Story("goes back by one", "S 10000; M 12000 11999 12001; E 12000", "ended", 2_000),
    Story("350 kW", "S 0; M 23333 46666; E 49999", "ended", 49_999, stop_wanted="credit"),
)  # fmt: skip


def told_as(value: str) -> int | float | str:
    """A register as JSON has it: a number, or a text where it is in quotes."""
    return value.strip('"') if value.startswith('"') else float(value) if "." in value else int(value)


class Charger:
    """A station that tells its story, with a clock that tests may stop."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.now_ms = NOON_MS
        self.refs: list[int] = []
        server.now_ms = lambda: self.now_ms

    async def tell(self, story: str) -> None:
        """The whole story, reconnecting where the server restarts."""
        steps = [(part.split()[0], word) for part in story.split(";") for word in part.split()[1:] or [""]]
        while steps:
            async with connected(self.server) as client:
                while steps and steps[0][1] != "R":
                    await self.step(client, *steps.pop(0))
            if steps:
                steps.pop(0)
                await self.server.restart()

    async def step(self, client: Client, kind: str, value: str) -> None:
        if not value:
            self.now_ms += int(kind) * MINUTE_MS
            return
        self.now_ms += STEP_MS
        stamp = {"timestamp": rfc3339(self.now_ms)}
        if kind in "SX":
            start = {
                "connectorId": 1,
                "idTag": UID if kind == "S" else "04FFFFFF",
                "meterStart": told_as(value),
                **stamp,
            }
            self.refs.append((await client.call("StartTransaction", start))["transactionId"])
            return
        ref = self.refs[-2 if kind.endswith("<") else -1]
        if kind[0] == "E":
            await client.call("StopTransaction", {"transactionId": ref, "meterStop": told_as(value), **stamp})
            return
        measurand = (
            {"measurand": "Energy.Active.Import.Interval"} if kind == "I" else {"unit": "kWh"} if kind == "K" else {}
        )
        moment = {**stamp, "sampledValue": [{"value": value, **measurand}]}
        named = {} if kind == "M?" else {"transactionId": ref}
        await client.call("MeterValues", {"connectorId": 1, "meterValue": [moment], **named})


async def told(server: Server, story: str, paid_in: int) -> PersonId:
    """Who pays, after the charger has told all."""

    def holder(db: Database) -> PersonId:
        by = By("operator:1", NOON_MS)
        person = people.add(db, "Karim Ahmed", db.execute("SELECT min(id) FROM person_group").fetchone()[0], by)
        cards.add(db, UID, person, by)
        wallets.top_up(db, person, paid_in, "cash", "karim", by)
        return person

    charger = Charger(server)
    await server.register("CS-1")
    person = await server.store.write(holder)
    await charger.tell(story)
    return person


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.what)
async def test_a_meter_of_the_field_is_billed_right(server: Server, story: Story) -> None:
    person = await told(server, story.told, story.paid_in)

    (row,) = await server.rows(
        "SELECT id, state, energy_wh, note, stop_wanted, fee_minor FROM session ORDER BY id DESC LIMIT 1"
    )
    number, state, energy_wh, note, stop_wanted, fee_minor = row
    assert (state, energy_wh, note, stop_wanted) == (story.state, story.energy_wh, story.note, story.stop_wanted)
    assert fee_minor == round(story.energy_wh * 1_200 / 1_000)
    figures = await server.rows("SELECT energy_wh FROM session_figure WHERE session_id = ? ORDER BY position", number)
    assert tuple(one for (one,) in figures) == story.figures
    ((taken,),) = await server.rows("SELECT sum(fee_minor) FROM session")
    ((credit, debit),) = await server.rows(
        "SELECT credit_posted, debit_posted FROM account WHERE id = (SELECT wallet_id FROM person WHERE id = ?)", person
    )
    assert credit - debit == max(0, story.paid_in - taken), "what is in doubt is held, and not taken"
    kinds = [kind for (kind,) in await server.rows("SELECT kind FROM problem WHERE cleared_at_ms IS NULL")]
    assert ("review" in kinds) == (story.state == "review")
