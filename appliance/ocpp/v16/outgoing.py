"""Our commands in the words of OCPP 1.6. What a station's word means for the site is decided by who asked."""

from __future__ import annotations

import re
from typing import Any

from appliance.domain.id_token import IdToken
from appliance.domain.transaction import TransactionRef
from appliance.domain.units import INTEGER_MAX
from appliance.ocpp.reading.redact import is_secret, redacted_text
from appliance.ocpp.reading.schemas import Payload
from appliance.ocpp.v16 import sampling
from appliance.ocpp.v16.power import power_by_settings
from appliance.ocpp.v16.translate import EVSE_MAX, ID_TAG_CHARS_MAX
from appliance.ocpp.version import Call
from appliance.services.ports.stations import (
    CommandAnswer,
    CommandFailed,
    FailureKind,
    Sampling,
    Variable,
    VariableName,
)
from appliance.services.stations.private_messages import masked_words

POSITIVE = frozenset({"Accepted", "Scheduled", "RebootRequired", "Unlocked"})
NUMBER = re.compile(r"-?[0-9]{1,18}")
KEYS_AT_ONCE = 50
ENTRIES_AT_ONCE = 20
"""Of a local list in one message; small stations take no more (SendLocalListMaxLength)."""
TOLERATED = frozenset({FailureKind.UNSUPPORTED, FailureKind.REFUSED})
"""Kinds of CommandFailed with which a station says that it has no such thing."""


class Outgoing16:
    """The commands of OCPP 1.6, and a few that services do not ask for yet."""

    async def remote_start(self, call: Call, evse: int, id_token: IdToken) -> CommandAnswer:
        """Core: RemoteStartTransaction."""
        if len(id_token.value) > ID_TAG_CHARS_MAX:
            raise CommandFailed(
                FailureKind.NOT_SENT, f"OCPP 1.6 knows id tags of up to {ID_TAG_CHARS_MAX} characters only"
            )
        payload: Payload = {"idTag": id_token.value}
        if evse:
            payload = {"connectorId": evse, "idTag": id_token.value}
        return answer(await call("RemoteStartTransaction", payload))

    async def remote_stop(self, call: Call, ref: TransactionRef) -> CommandAnswer:
        """Core: RemoteStopTransaction, also for a number the station does not know (TC_028)."""
        number = ref if isinstance(ref, int) else int(ref) if NUMBER.fullmatch(ref) else INTEGER_MAX + 1
        if abs(number) > INTEGER_MAX:
            raise CommandFailed(FailureKind.NOT_SENT, "in OCPP 1.6 a transaction has a number")
        return answer(await call("RemoteStopTransaction", {"transactionId": number}))

    async def unlock(self, call: Call, evse: int, connector: int) -> CommandAnswer:  # noqa: ARG002 - 1.6 has one per EVSE.
        """Core: UnlockConnector."""
        return answer(await call("UnlockConnector", {"connectorId": evse}))

    async def reset(self, call: Call, *, hard: bool) -> CommandAnswer:
        """Core: Reset."""
        return answer(await call("Reset", {"type": "Hard" if hard else "Soft"}))

    async def set_operative(self, call: Call, evse: int, operative: bool) -> CommandAnswer:
        """Core: ChangeAvailability."""
        kind = "Operative" if operative else "Inoperative"
        return answer(await call("ChangeAvailability", {"connectorId": evse, "type": kind}))

    async def clear_cache(self, call: Call) -> CommandAnswer:
        """Core: ClearCache."""
        return answer(await call("ClearCache", {}))

    async def forget_card(self, call: Call, tokens: tuple[str, ...]) -> CommandAnswer:
        """Core: ClearCache, and where there is a local list, its entries removed (5.15: those sent without an idTagInfo).

        A station may have neither: what it does not know is no failure, for then it has nothing to forget.
        """
        try:
            cache = await self.clear_cache(call)
        except CommandFailed as failure:
            if failure.kind not in TOLERATED:
                raise
            cache = CommandAnswer(accepted=False, status="NotSupported")
        listed = await self._strike(call, [token for token in tokens if len(token) <= ID_TAG_CHARS_MAX])
        return cache if listed is None or listed.accepted else listed

    async def _strike(self, call: Call, tokens: list[str]) -> CommandAnswer | None:
        """Take cards off the local list; None where there is none."""
        listed = None
        version = await self._list_version(call)
        for start in range(0, len(tokens), ENTRIES_AT_ONCE):
            if version <= 0:
                return listed
            entries = [{"idTag": token} for token in tokens[start : start + ENTRIES_AT_ONCE]]
            listed = await self._send_differences(call, version + 1, entries)
            if listed.status == "VersionMismatch":
                # Somebody else changed the list between the question and this.
                version = await self._list_version(call)
                listed = await self._send_differences(call, version + 1, entries)
            if not listed.accepted:
                return listed
            version += 1
        return listed

    async def _list_version(self, call: Call) -> int:
        try:
            return await self.local_list_version(call)
        except CommandFailed as failure:
            if failure.kind not in TOLERATED:
                raise
            return -1

    async def _send_differences(self, call: Call, version: int, entries: list[Payload]) -> CommandAnswer:
        payload: Payload = {"listVersion": version, "updateType": "Differential", "localAuthorizationList": entries}
        try:
            return answer(await call("SendLocalList", payload))
        except CommandFailed as failure:
            if failure.kind not in TOLERATED:
                raise
            return CommandAnswer(accepted=False, status="NotSupported")

    async def trigger(self, call: Call, message: str, evse: int | None) -> CommandAnswer:
        """Remote Trigger: TriggerMessage."""
        payload: Payload = {"requestedMessage": message}
        if evse:
            payload["connectorId"] = evse
        return answer(await call("TriggerMessage", payload))

    async def get_variables(self, call: Call, names: list[VariableName]) -> list[Variable]:
        """Core: GetConfiguration; of all keys if none is named. What the station does not know is left out, and all components.

        Some stations answer with all that they have, whatever they are asked for; keys are told in any case (9).
        """
        if not names:
            return variables(await call("GetConfiguration", {}))
        keys = list({name.variable.casefold(): name.variable for name in names if not name.component}.values())
        found: dict[str, Variable] = {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            for one in variables(await call("GetConfiguration", {"key": keys[start : start + KEYS_AT_ONCE]})):
                found.setdefault(one.name.variable.casefold(), one)
        return [found[key.casefold()] for key in keys if key.casefold() in found]

    async def read_sampling(self, call: Call) -> Sampling:
        """Core: the configuration keys of meter values (9.1)."""
        return sampling.sampling_of(await self.get_variables(call, [VariableName(key) for key in sampling.KEYS]))

    async def set_sampling(self, call: Call, interval_s: int) -> Sampling:
        """Core: ChangeConfiguration of what is not so yet; of a list that is refused, the register alone."""
        found = await self.get_variables(call, [VariableName(key) for key in sampling.KEYS])
        for key, values in sampling.changes(found, interval_s):
            for value in values:
                if (await self.set_variable(call, VariableName(key), value)).accepted:
                    break
        return await self.read_sampling(call)

    async def read_power(self, call: Call) -> int | None:
        """Core: GetConfiguration of all keys, for it is vendors who have one for it."""
        return power_by_settings(await self.get_variables(call, []))

    async def count_evses(self, call: Call) -> int | None:
        """Core: NumberOfConnectors (9.1)."""
        found = await self.get_variables(call, [VariableName("NumberOfConnectors")])
        number = sampling.number(found[0].value) if found else None
        return number if number is not None and 0 < number <= EVSE_MAX else None

    async def set_variable(self, call: Call, name: VariableName, value: str) -> CommandAnswer:
        """Core: ChangeConfiguration."""
        if name.component:
            raise CommandFailed(FailureKind.NOT_SENT, "in OCPP 1.6 a setting has no component")
        return answer(await call("ChangeConfiguration", {"key": name.variable, "value": value}))

    async def set_password(self, call: Call, password: str) -> CommandAnswer:
        """Security extensions, A01: the key AuthorizationKey, of at most 40 hexadecimal digits."""
        return answer(await call("ChangeConfiguration", {"key": "AuthorizationKey", "value": password}))

    async def data_transfer(self, call: Call, vendor: str, message: str, text: str) -> Payload:
        """Core: DataTransfer; the whole answer."""
        payload: Payload = {"vendorId": vendor}
        if message:
            payload["messageId"] = message
        if text:
            payload["data"] = text
        return await call("DataTransfer", payload)

    async def local_list_version(self, call: Call) -> int:
        """Local Auth List Management: GetLocalListVersion; -1: the station has no list, 0: it is empty."""
        version = (await call("GetLocalListVersion", {})).get("listVersion")
        return version if type(version) is int else -1


def answer(payload: Payload) -> CommandAnswer:
    """The station's word."""
    status = payload.get("status")
    if not isinstance(status, str):
        return CommandAnswer(accepted=False, status="")
    return CommandAnswer(accepted=status in POSITIVE, status=masked_words(status[:50]))


def variables(payload: Payload) -> list[Variable]:
    """The keys of a GetConfiguration.conf, also of stations that give numbers and 0 or 1 where texts and booleans belong."""
    keys = payload.get("configurationKey")
    return [variable(key) for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def variable(key: dict[str, Any]) -> Variable:
    name, value, readonly = key.get("key"), key.get("value"), key.get("readonly")
    if isinstance(value, bool):
        value = "true" if value else "false"
    name = name if isinstance(name, str) else str(name)
    # Whoever may read settings need not learn passwords.
    value = None if value is None or is_secret(name) or redacted_text(str(value)) != str(value) else str(value)
    return Variable(name=VariableName(name), value=value, readonly=readonly in (True, 1, "true", "1"))
