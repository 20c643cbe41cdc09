"""What each kind of problem says, and what to do: one of a kind, and several together."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.problem import ProblemKind
from appliance.ui.frame.language import N_, Plural, nN_

NONE: Plural = ("", "")


@dataclass(frozen=True, slots=True)
class Text:
    """How a kind of problem is told. `{names}` are filled in by `told`."""

    sentence: str
    advice: str
    urgent: bool = False
    again: Plural = NONE
    """Instead of the sentence, when it has happened several times; the row tells how often in any case."""
    many: Plural = NONE
    """For several that are alike: `{count}` of them."""
    many_advice: str = ""
    """If the advice to one does not hold for all."""


UNBILLED_FIRST = Text(
    N_("At {station} {energy} kWh flowed, and there was no session."),
    N_("Look who charges there, and stop it at the charger. Who has charged can be billed by hand."),
    urgent=True,
    many=nN_(
        "At {count} connector energy flowed that nobody pays for.",
        "At {count} connectors energy flowed that nobody pays for.",
    ),
)
"""Energy that nobody pays for at a connector that never had a session."""

TEXTS: dict[str, Text] = {
    ProblemKind.KNOCKING: Text(
        N_("{identity}, at {address}, waits for approval."),
        N_("Approve it if it is yours, or turn it away."),
        many=nN_("{count} charger wants to connect.", "{count} chargers want to connect."),
    ),
    ProblemKind.OFFLINE: Text(
        N_("{station} has been offline for {since}."),
        N_(
            "Is it switched on, and is its network cable or Wi-Fi in order? Cards may still work there: it tells us later."
        ),
        urgent=True,
        many=nN_("{count} charger is offline.", "{count} chargers are offline."),
        many_advice=N_(
            "Are they switched on, and are their network cables or Wi-Fi in order? Cards may still work there: they tell us later."
        ),
    ),
    ProblemKind.FAULTED: Text(
        N_("{station} reports a fault: {error}. {info}"),
        N_(
            "Keep people away if it is about current or heat. Restart it once; if the fault comes back, call the electrician."
        ),
        urgent=True,
        many=nN_("{count} connector or charger reports a fault.", "{count} connectors or chargers report a fault."),
    ),
    ProblemKind.CLOCK_SKEW: Text(
        N_("The clock of {station} is wrong by {skew}."),
        N_("It takes our time at its next restart. If it does not, look for a time server among its settings."),
        many=nN_("The clock of {count} charger is wrong.", "The clocks of {count} chargers are wrong."),
    ),
    ProblemKind.SILENT_SESSION: Text(
        N_("A session at {station} has not been measured for {since}."),
        N_(
            "Look at the charger. If no car is there, end the session on its own page; it is billed up to its last reading."
        ),
        many=nN_(
            "{count} session has not been measured for a while.", "{count} sessions have not been measured for a while."
        ),
    ),
    ProblemKind.MISSED_READINGS: Text(
        N_("Session {session} at {station} has not been measured for {since}, and its money or its limit has an end."),
        N_(
            "Until a reading comes, it is reckoned by the greatest power that the charger can give, and stopped before that could have used up the money."
        ),
        many=nN_(
            "{count} session whose money or limit has an end has not been measured for a while.",
            "{count} sessions whose money or limit has an end have not been measured for a while.",
        ),
    ),
    ProblemKind.UNWATCHED: Text(
        N_("{station} cannot be watched while it charges: {why}"),
        N_(
            "Whoever pays beforehand, or has a limit, is stopped there by time and by the connector's greatest power: 400 kW, unless the charger, its page or Settings say otherwise. Set MeterValueSampleInterval and MeterValuesSampledData inside the charger; where they can be changed, this server does so if Settings allow it."
        ),
        urgent=True,
        many=nN_(
            "{count} charger cannot be watched while it charges.",
            "{count} chargers cannot be watched while they charge.",
        ),
    ),
    ProblemKind.NO_SESSION: Text(
        N_("{station} has been charging for {since}, and there is no session."),
        N_("Nobody pays for it. Look who charges there; if nobody does, restart the charger."),
        urgent=True,
        many=nN_(
            "{count} charger has been charging for a while, and there is no session.",
            "{count} chargers have been charging for a while, and there is no session.",
        ),
    ),
    ProblemKind.UNBILLED: Text(
        N_("At {station} {energy} kWh flowed after session {session} had ended, and nobody pays for them."),
        N_(
            "Look who charges there, and stop it at the charger. Who has charged can be billed by hand; if it was the driver of that session, by correcting their balance."
        ),
        urgent=True,
        many=nN_(
            "At {count} connector energy flowed that nobody pays for.",
            "At {count} connectors energy flowed that nobody pays for.",
        ),
    ),
    ProblemKind.NO_CONNECTORS: Text(
        N_("{station} is connected, but has not told what its connectors do. Tried: {why}."),
        N_(
            "By its own settings it has {evses} of them; they are shown without a status until it tells one. Restart the charger if that does not come."
        ),
        many=nN_(
            "{count} charger is connected, but has not told what its connectors do.",
            "{count} chargers are connected, but have not told what their connectors do.",
        ),
    ),
    ProblemKind.REVIEW: Text(
        N_("Session {session} at {station} could not be billed by itself: {note}"),
        N_(
            "Open the session, compare the readings, and say what is billed; what was held for it stays held until then."
        ),
        many=nN_(
            "{count} session could not be billed by itself: somebody has to say what is billed.",
            "{count} sessions could not be billed by themselves: somebody has to say what is billed.",
        ),
        many_advice=N_(
            "Compare the readings of each with the charger, and say what is billed; what was held for it stays held until then."
        ),
    ),
    ProblemKind.UNREADABLE: Text(
        N_("{station} sent a start, a stop or readings that cannot be read: {note}"),
        N_("The message is kept word for word in its message log. Bill by hand if somebody has charged."),
        again=nN_(
            "{station} sent {times} start, stop or readings that cannot be read, the last one: {note}",
            "{station} sent {times} starts, stops or readings that cannot be read, the last one: {note}",
        ),
        many=nN_(
            "At {count} place a start, a stop or readings came that cannot be read.",
            "At {count} places a start, a stop or readings came that cannot be read.",
        ),
    ),
    ProblemKind.STRAY_STOP: Text(
        N_("{station} ended a transaction ({ref}) that we do not know."),
        N_("It may have begun before this server was set up. Nothing was billed."),
        again=nN_(
            "{station} ended {times} transaction that we do not know ({ref}).",
            "{station} ended {times} transactions that we do not know ({ref}).",
        ),
        many=nN_(
            "{count} charger ended transactions that we do not know.",
            "{count} chargers ended transactions that we do not know.",
        ),
    ),
    ProblemKind.FOREIGN_TRANSACTION: Text(
        N_("{station} speaks of a transaction ({ref}) that is another charger's."),
        N_("What it says about that is ignored. Restart the charger if it goes on."),
        again=nN_(
            "{station} speaks of transactions ({ref}) that are other chargers'.",
            "{station} speaks of transactions ({ref}) that are other chargers'.",
        ),
        many=nN_(
            "{count} charger speaks of transactions that are other chargers'.",
            "{count} chargers speak of transactions that are other chargers'.",
        ),
    ),
    ProblemKind.VIOLATION: Text(
        N_("{station} does not keep to the protocol ({what}): {found}"),
        N_("Install newer firmware, or tell the manufacturer."),
        many=nN_("{count} charger does not keep to the protocol.", "{count} chargers do not keep to the protocol."),
    ),
    ProblemKind.WRONG_URL: Text(
        N_("A charger at {address} asked for {path}."),
        N_("Enter {url} as its server address."),
        many=nN_(
            "Chargers at {count} address ask for a wrong path.", "Chargers at {count} addresses ask for a wrong path."
        ),
    ),
    ProblemKind.FOREIGN_PAGE: Text(
        N_("A web page ({origin}), open in a browser at {address}, wanted to pass as a charger. It was refused."),
        N_(
            "Close that page there, and open it nowhere on this network. If it is a charger, enter the name that it calls under Settings, “Further names of this box”."
        ),
        urgent=True,
        many=nN_(
            "Web pages at {count} address wanted to pass as chargers. They were refused.",
            "Web pages at {count} addresses wanted to pass as chargers. They were refused.",
        ),
    ),
    ProblemKind.DUPLICATE_IDENTITY: Text(
        N_("Two devices call themselves {identity}: {devices}."),
        N_("Give one of them another name in its own settings; until then they push each other out."),
        urgent=True,
        many=nN_("{count} name is used by two devices.", "{count} names are used by two devices each."),
    ),
    ProblemKind.NEWCOMER: Text(
        N_("A device at {address} says that it is {station}, which is connected from another. It was refused."),
        N_("Give the charger a password on its page: then its name alone is of no use to anybody."),
        urgent=True,
        many=nN_(
            "Devices say that they are {count} charger, which is connected from elsewhere.",
            "Devices say that they are one of {count} chargers, which are connected from elsewhere.",
        ),
    ),
    ProblemKind.CARDS_TRIED: Text(
        N_(
            "{cards} that may not charge were shown within ten minutes at {station} or from its address: somebody tries them out."
        ),
        N_("It is answered slowly for now. Look who stands there, and give the charger a password on its page."),
        urgent=True,
        many=nN_("Cards are tried out at {count} charger.", "Cards are tried out at {count} chargers."),
    ),
    ProblemKind.NO_ROOM_TO_KNOCK: Text(
        N_("All places to wait for approval are taken, and there is none for another charger that came: {who}"),
        N_(
            "Turn away those that nobody knows, on the page Chargers. Or add the one you expect under its own name with “Connect a charger”: then it needs no place."
        ),
        again=nN_(
            "All places to wait for approval are taken, and there was none for another charger {times} time: {who}",
            "All places to wait for approval are taken, and there was none for others {times} times, the last ones: {who}",
        ),
        urgent=True,
        many=nN_("Chargers find no place to wait for approval.", "Chargers find no place to wait for approval."),
    ),
    ProblemKind.LOG_INS_FAILED: Text(
        N_("Log-ins fail, the last from {address}."),
        N_(
            "Ask the staff whether it was one of them. If not, somebody guesses passwords: look in the audit list from where, and keep that device off the network."
        ),
        urgent=True,
        again=nN_(
            "{times} log-in failed within an hour, from {address}.",
            "{times} log-ins failed within an hour, the last from {address}.",
        ),
        many=nN_("Log-ins failed again and again.", "Log-ins failed again and again."),
    ),
    ProblemKind.APPROVAL: Text(
        N_("{amount} for {person} waits for a second person."),
        N_("Another manager or the owner agrees to it or refuses it under Approvals."),
        many=nN_("{count} amount waits for a second person.", "{count} amounts wait for a second person."),
    ),
    ProblemKind.STATION_ERROR: Text(
        N_("A message of {station} ({action}) failed here: {error}"),
        N_("The message is in its log, and the charger sends it again. Tell whoever looks after this server."),
        again=nN_(
            "{times} message of {station} ({action}) failed here: {error}",
            "{times} messages of {station} ({action}) failed here, the last one: {error}",
        ),
        many=nN_("Messages of {count} charger failed here.", "Messages of {count} chargers failed here."),
    ),
    ProblemKind.DISK_SPACE: Text(
        N_("Only {free} MB are left on the disk."),
        N_("Remove old backups from it, or keep the message log for fewer days (Settings)."),
        urgent=True,
    ),
    ProblemKind.RESTORED: Text(
        N_(
            "A backup was put in the place of the books. {waiting}, because they were given away, wiped, paid out or limited since, or their holders pay otherwise; {receipts_lost}, and new ones begin at {receipts_from}."
        ),
        N_(
            "Look at each blocked card, and unblock it if its wallet is right, and at each voucher that is held. Book again by hand what the receipts on paper say. Everybody has to log in again. Look at prices, groups and settings, too: they are the backup's."
        ),
        urgent=True,
        many=nN_("Backups were put in the place of the books.", "Backups were put in the place of the books."),
    ),
    ProblemKind.DISK_FULL: Text(
        N_("The disk is nearly full ({free} MB are left): no messages are kept, and nobody new can start."),
        N_(
            "Make room on it now: remove old backups, or whatever else fills it. What charges goes on and is billed; the rest goes on by itself."
        ),
        urgent=True,
    ),
    ProblemKind.BACKUP_AGE: Text(
        N_("The last backup was {last}."),
        N_("Plug in a USB drive and run `forecourt backup`."),
    ),
    ProblemKind.SECRETS: Text(
        N_(
            "The file `sealing.key` is missing, or is another site's: the secrets that this site keeps cannot be opened."
        ),
        N_(
            "What needs them is off, the rest runs. Put the file back, or restore a backup with the owner's key. If it is lost for good: `forecourt secrets start-over`."
        ),
        urgent=True,
    ),
    ProblemKind.OWNER_KEY_MISSING: Text(
        N_("The secrets that this site keeps could not be opened on another box, from any backup."),
        N_("Make an owner's key with `forecourt secrets owner-key`, and keep its words on paper."),
    ),
    ProblemKind.UNREAD_SETTING: Text(
        N_("Settings that cannot be read: {names}."),
        N_("Set them anew under Settings; until then the usual values hold."),
    ),
    ProblemKind.NO_TARIFF: Text(
        N_("There is no price: nobody pays for charging."),
        N_("Enter a tariff and make it the default."),
    ),
    ProblemKind.PRINTER: Text(
        N_("The printer of receipts ({printer}): {trouble}"),
        N_("{remedy} What was booked is booked: every receipt can be printed again, by the browser, too."),
    ),
    ProblemKind.READER: Text(
        N_("The reader of the card desk {desk}: {reader}"),
        N_("{remedy}"),
        many=nN_("{count} reader of a card desk does not work.", "{count} readers of card desks do not work."),
        many_advice=N_("Open the card desk: it says for each what to do."),
    ),
    ProblemKind.TORN_CARD: Text(
        N_("Card {number} of {person} was taken away before it was written: money and card do not agree yet."),
        N_("Lay it on a reader again: it is finished by itself. It charges all the same."),
        many=nN_(
            "{count} card was taken away before it was written: money and card do not agree yet.",
            "{count} cards were taken away before they were written: money and cards do not agree yet.",
        ),
        many_advice=N_("Lay each on a reader again: it is finished by itself. They charge all the same."),
    ),
    ProblemKind.CARD_COPY: Text(
        N_("A card with the number of card {number} ({person}) was shown at the desk, but it is a copy."),
        N_("Block the card and give its holder another. Somebody may charge at their cost."),
        urgent=True,
        many=nN_("Copies of {count} card were shown at the desk.", "Copies of {count} cards were shown at the desk."),
    ),
    ProblemKind.CARD_TWICE: Text(
        N_("Card {number} of {person} was shown for a start at {station} while it charges at {other}."),
        N_(
            "Ask its holder where the car is. If nobody knows of it, it is a copy: block the card and give out another."
        ),
        urgent=True,
        many=nN_(
            "{count} card was shown for a start while it charges elsewhere.",
            "{count} cards were shown for a start while they charge elsewhere.",
        ),
    ),
    ProblemKind.CARD_HOP: Text(
        N_("Card {number} of {person} began to charge at {other}, and {after} later at {station}."),
        N_("Ask its holder whether both are theirs. If not, it is a copy: block the card and give out another."),
        many=nN_(
            "{count} card began to charge at two places, sooner than anybody could drive.",
            "{count} cards began to charge at two places, sooner than anybody could drive.",
        ),
    ),
    ProblemKind.STOP_IGNORED: Text(
        N_("{station} does not stop session {session}, though asked several times."),
        N_(
            "Stop it at the charger itself, or restart the charger. If it knows nothing of the session, end it on its own page."
        ),
        urgent=True,
        many=nN_(
            "{count} session does not stop, though the charger was asked several times.",
            "{count} sessions do not stop, though the chargers were asked several times.",
        ),
    ),
    ProblemKind.START_LOST: Text(
        N_("{station} accepted a start, but nothing followed. The money is free again."),
        N_("Was the car plugged in? Try once more; if it happens again, restart the charger."),
        many=nN_(
            "Chargers accepted {count} start, but nothing followed. The money is free again.",
            "Chargers accepted {count} starts, but nothing followed. The money is free again.",
        ),
    ),
    ProblemKind.REFUSED_CHARGING: Text(
        N_("{station} charged in session {session} although it was told no: {why}."),
        N_(
            "This server asks it to stop. Set StopTransactionOnInvalidId to true and MaxEnergyOnInvalidId to 0 inside the charger, if it knows them. The session's page says what is billed."
        ),
        urgent=True,
        again=nN_(
            "{station} charged in {times} session although it was told no ({session}): {why}.",
            "{station} charged in {times} sessions although it was told no, the last ones {session}: {why}.",
        ),
        many=nN_(
            "{count} charger charged although it was told no.", "{count} chargers charged although they were told no."
        ),
    ),
    ProblemKind.OVERRUN: Text(
        N_("Session {session} at {station} cost {amount} more than its wallet could give: the site bears it."),
        N_(
            "See on the session's page what the charger measured and when it stopped. A charger that measures seldom, or stops late, needs other settings inside it, or people who pay later."
        ),
        many=nN_(
            "Sessions at {count} charger cost more than their wallets could give: the site bears it.",
            "Sessions at {count} chargers cost more than their wallets could give: the site bears it.",
        ),
    ),
    ProblemKind.DRAWER_OFF: Text(
        N_("At the end of shift {shift}, of {who}, the drawer was over by {amount}."),
        N_(
            "Compare on the page of the shift what was booked with what was counted: a sum may have been taken and not entered."
        ),
        many=nN_("{count} drawer was over at the end of a shift.", "{count} drawers were over at the end of a shift."),
    ),
    ProblemKind.SIGNED_ENERGY: Text(
        N_("In session {session} at {station} the meter signed {signed} kWh, but {billed} kWh were billed."),
        N_(
            "Compare both on the session's page. If the signed figure is right, correct the holder's balance; a charger that does this again is a case for its maker."
        ),
        many=nN_(
            "At {count} charger the meter signed another energy than was billed.",
            "At {count} chargers the meters signed another energy than was billed.",
        ),
    ),
    ProblemKind.BOOKS: Text(
        N_("The books do not add up: {wrong}"),
        N_("Keep the data as they are, make a copy, and call whoever looks after this server."),
        urgent=True,
    ),
    ProblemKind.MONEY_STOPPED: Text(
        N_("Money is stopped. {what}"),
        N_(
            "Nothing is booked at the till and the card desk, and nobody who pays can begin to charge; who charges goes on. An owner looks at what differs, and lets money move again."
        ),
        urgent=True,
    ),
    ProblemKind.JOB_FAILED: Text(
        N_("A regular job failed: {job}."),
        N_("It is tried again by itself. The log says why."),
        many=nN_("{count} regular job failed.", "{count} regular jobs failed."),
    ),
}
NOT_WATCHED = {
    "interval": N_("it is set to send no readings."),
    "measurands": N_("the readings that it is set to send do not tell what its meter says."),
    "nothing": N_("it sent no usable reading while somebody charged."),
}
"""Why a charger cannot be watched, by `why`."""
TRIED = {
    "boot": N_("asked to start over (BootNotification)"),
    "status": N_("asked for the status of all (StatusNotification)"),
    "count": N_("asked how many it has, and for the status of each"),
}
"""What a charger was asked for that has told of no connector."""
VIOLATIONS = {
    "subprotocol": Text(
        N_("{station} speaks only {found}, which is not spoken here."),
        N_("Choose JSON (websocket) and a version that is spoken here in the charger's own settings: {spoken}."),
        many=nN_(
            "{count} charger speaks only versions that are not spoken here.",
            "{count} chargers speak only versions that are not spoken here.",
        ),
    ),
    "no_subprotocol": Text(
        N_("{station} does not say which version of OCPP it speaks."),
        N_(
            "Choose JSON (websocket) and one of these versions in the charger's own settings: {spoken}. Or let Settings say what such chargers are taken for."
        ),
        many=nN_(
            "{count} charger does not say which version of OCPP they speak.",
            "{count} chargers do not say which version of OCPP they speak.",
        ),
    ),
    "other_version": Text(
        N_("{station} is connected as one that speaks OCPP {spoken}, but its messages are those of another version."),
        N_(
            "Choose OCPP {spoken} in the charger's own settings and restart it. Until then what it tells of its sessions is not understood, and nothing is billed."
        ),
        urgent=True,
        many=nN_(
            "{count} charger speaks another version of OCPP than the one with which it connects.",
            "{count} chargers speak another version of OCPP than the one with which they connect.",
        ),
    ),
    "binary": Text(
        N_("{station} sends binary frames, so its connection is closed each time."),
        N_("Choose OCPP-J, JSON as text, in the charger's own settings, or install newer firmware."),
        many=nN_(
            "{count} charger sends binary frames, so its connection is closed each time.",
            "{count} chargers send binary frames, so their connections are closed each time.",
        ),
    ),
    "utf8": Text(
        N_("{station} sends letters that are not UTF-8, so its connection is closed each time."),
        N_(
            "Look for texts with special letters among the charger's own settings and write them plainly, or install newer firmware."
        ),
        many=nN_(
            "{count} charger sends letters that are not UTF-8, so its connection is closed each time.",
            "{count} chargers send letters that are not UTF-8, so their connections are closed each time.",
        ),
    ),
    "websocket": Text(
        N_("{station} does not keep to the rules of websockets ({found}), so its connection is closed each time."),
        N_("Install newer firmware. If there is a proxy or a gateway between, try without it."),
        many=nN_(
            "{count} charger does not keep to the rules of websockets, so its connection is closed each time.",
            "{count} chargers do not keep to the rules of websockets, so their connections are closed each time.",
        ),
    ),
    "password": Text(
        N_("A device at {found} calls itself {identity} and has the wrong password."),
        N_("Enter the right password in the charger, or make a new one on its page."),
        urgent=True,
        many=nN_(
            "Devices call themselves {count} charger and have the wrong password.",
            "Devices call themselves one of {count} chargers and have the wrong password.",
        ),
    ),
    "profile": Text(
        N_("{station}, at {found}, connects without TLS although it must."),
        N_("Enter the address that begins with wss in the charger, or choose another security profile on its page."),
        many=nN_(
            "{count} charger connects without TLS although it must.",
            "{count} chargers connect without TLS although they must.",
        ),
    ),
    "too_long": Text(
        N_("A message of {station} is too long to be read here ({found}), so it never arrives."),
        N_("Let the charger send fewer readings with the end of a session (StopTxnSampledData), or less often."),
        many=nN_(
            "{count} charger sends messages that are too long to be read here.",
            "{count} chargers send messages that are too long to be read here.",
        ),
    ),
}
"""Violations that have a sentence of their own, by `what`."""
DRAWER_SHORT = Text(
    N_("At the end of shift {shift}, of {who}, the drawer was short by {amount}."),
    N_("Compare on the page of the shift what was booked with what was counted, and ask who had the drawer."),
    many=nN_("{count} drawer was short at the end of a shift.", "{count} drawers were short at the end of a shift."),
)
DRAWER_HIDDEN = Text(
    N_("At the end of shift {shift}, of {who}, there was not in the drawer what had to be."),
    N_("Managers see on the page of the shift how much it was."),
    many=nN_(
        "In {count} drawer there was not what had to be at the end of a shift.",
        "In {count} drawers there was not what had to be at the end of a shift.",
    ),
)
"""Where cashiers are not told how much it was."""
IN_PART = Text(
    N_("What {station} sent about session {session} could be read in part only: {note}"),
    N_(
        "Compare the session with the message, which is kept word for word in the charger's message log, and bill by hand what is missing."
    ),
)
"""A message that cannot be read wholly, but names a session."""
WENT_OFFLINE = Text(
    "",
    "",
    urgent=True,
    many=nN_("{count} charger went offline at {at}.", "{count} chargers went offline at {at}."),
    many_advice=N_("Look at what they share: the router, a network switch, the Wi-Fi, or a fuse."),
)
"""Chargers that went away within a minute of one another."""
FAILED_TOKENS = Text(
    N_("Requests come with a token that nobody has, or that is revoked, the last from {address}."),
    N_(
        "If a program of yours runs there, give it a token that holds (Staff). If not, somebody tries to get in: keep that device off the network."
    ),
    urgent=True,
    again=nN_(
        "{times} request with a token that nobody has, or that is revoked, came within an hour, from {address}.",
        "{times} requests with a token that nobody has, or that is revoked, came within an hour, the last from {address}.",
    ),
    many=nN_(
        "Requests with tokens that open nothing came again and again.",
        "Requests with tokens that open nothing came again and again.",
    ),
)
WAITING_NEWCOMER = Text(
    N_("A device at {address} says that it is {station}, and is not the device that {station} was until now."),
    N_(
        "If the charger was replaced, or has a new address, let it in on the charger's page. If not, somebody tries to take its place."
    ),
    urgent=True,
    many=nN_(
        "Devices say that they are {count} charger, and are not what it was until now.",
        "Devices say that they are one of {count} chargers, and are not those that these were until now.",
    ),
)
