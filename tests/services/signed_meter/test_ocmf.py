"""Signed meter data: known examples, ones signed here on each curve, and hostile ones."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from appliance.services.signed_meter import ocmf
from appliance.services.signed_meter.signatures import CURVES, BadKey, Verdict, in_hex, read_key, verdict

KNOWN_KEY = (
    "3059301306072A8648CE3D020106082A8648CE3D03010703420004EF1766AFD940A49FBA863779837F394EB053BF87DB529DE69FDDE8B32485D7AD"
    "715CD8F291656B1DEAA29337A65E4B1B7F9F2808E4E53019B867D4C9294948C9"
)
KNOWN = (
    'OCMF|{"FV":"1.0","GI":"TEST","GS":"1234567","GV":"1.0.0","PG":"T1","MV":"MV","MM":"MM","MS":"1234567","MF":"1.0","IS":true,'
    '"IL":"VERIFIED","IF":["RFID_PLAIN","OCPP_RS_TLS"],"IT":"ISO14443","ID":"2AB46E883AD3BB","CI":"CSONE","CT":"CBIDC","RD":[{"TM":'
    '"2025-06-14T08:49:47,642+0100 S","TX":"B","RV":0.56698,"RI":"1-b","RU":"kWh","EI":1523,"ST":"G"},{"TM":"2025-06-14T11:49:47,642'
    '+0100 S","TX":"E","RV":8.36706,"RI":"1-b","RU":"kWh","EI":1523,"ST":"G"}]}|{"SA":"ECDSA-secp256r1-SHA256","SD":"3045022100DB41C0'
    'B8AC1580F274574DC8A5C9AD856C1A4B0D5BF2252D119F55202E363968022053BD9DBE36DF6EF1F712C76A0E12F80E8B7E614683375C046371871E128B9BA3"}'
)
"""Made and signed by strangers: the example of the public repository road-labs/ocmf-js (packages/ocmf, usage)."""

RD = [
    {"TM": "2026-11-24T22:12:00,000+0600 S", "TX": "B", "RV": 48213.4, "RI": "1-b:1.8.0", "RU": "kWh", "ST": "G"},
    {"TM": "2026-11-25T00:31:00,000+0600 S", "TX": "E", "RV": 48231.82, "ST": "G"},
]
PAYLOAD = {"FV": "1.0", "PG": "T1", "MS": "M-1", "RD": RD}
CURVES_HERE = [name for name, curve in CURVES.items() if curve is not None]


def signed(curve: str, *, encoding: str = "hex", hashed: str = "SHA256") -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A container signed here."""
    make = CURVES[curve]
    assert make is not None
    key, payload = ec.generate_private_key(make()), json.dumps(PAYLOAD)
    signature = key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    written = signature.hex() if encoding == "hex" else base64.b64encode(signature).decode()
    about = {"SA": f"ECDSA-{curve}-{hashed}", "SD": written} | ({"SE": encoding} if encoding != "hex" else {})
    return f"OCMF|{payload}|{json.dumps(about)}", key


def der_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def test_a_known_example_is_read_and_verified() -> None:
    found = ocmf.read(KNOWN)
    assert (found.meter, found.method) == ("1234567", "ECDSA-secp256r1-SHA256")
    assert [(one.kind, one.wh) for one in found.readings] == [("B", Decimal("566.98")), ("E", Decimal("8367.06"))]
    assert ocmf.energy_wh([found]) == Decimal("7800.08")
    assert verdict(found, KNOWN_KEY) is Verdict.VERIFIED


@pytest.mark.parametrize("changed", [("8.36706", "9.36706"), ('"FV":"1.0"', '"FV": "1.0"'), ('"ID":"2AB', '"ID":"3AB')])
def test_a_letter_that_was_changed_shows(changed: tuple[str, str]) -> None:
    assert verdict(ocmf.read(KNOWN.replace(*changed)), KNOWN_KEY) is Verdict.WRONG


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("curve", CURVES_HERE)
def test_what_is_signed_on_each_curve_fits_its_key_and_no_other(curve: str, encoding: str) -> None:
    text, key = signed(curve, encoding=encoding)
    _, other = signed(curve)
    found = ocmf.read(text)
    assert verdict(found, der_of(key).hex()) is Verdict.VERIFIED
    assert verdict(found, der_of(other).hex()) is Verdict.WRONG
    assert verdict(found, "", der_of(key).hex()) is Verdict.SENT_KEY
    assert verdict(found, "") is Verdict.NO_KEY
    assert ocmf.energy_wh([found]) == Decimal(18_420)


@pytest.mark.parametrize(
    "method", ["ECDSA-secp192k1-SHA256", "ECDSA-curve9-SHA256", "RSA-2048", "", "ECDSA-secp256r1-MD5"]
)
def test_what_cannot_be_checked_here_is_not_called_wrong(method: str) -> None:
    text = KNOWN.replace("ECDSA-secp256r1-SHA256", method)
    assert verdict(ocmf.read(text), KNOWN_KEY) is Verdict.NOT_HERE


def test_a_key_is_read_in_each_form_in_which_it_is_handed_out() -> None:
    der = bytes.fromhex(KNOWN_KEY)
    point = der[-65:]
    pem = read_key(KNOWN_KEY).public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    forms = [
        KNOWN_KEY, KNOWN_KEY.lower(), " ".join(KNOWN_KEY[place : place + 4] for place in range(0, len(KNOWN_KEY), 4)),
        base64.b64encode(der).decode(), f"oca:base16:asn1:{KNOWN_KEY}", base64.b64encode(f"oca:base16:asn1:{KNOWN_KEY}".encode()).decode(),
        point.hex(), pem.decode(),
    ]  # fmt: skip
    assert {in_hex(form) for form in forms} == {KNOWN_KEY}
    for wrong in ("", "x", "00", KNOWN_KEY[:-2], "30" * 3000, "ржх"):
        assert in_hex(wrong) == ""
    with pytest.raises(BadKey):
        read_key("3059")


@pytest.mark.parametrize("wrap", [
    lambda text: text, lambda text: text.encode().hex(), lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: json.dumps({"signedMeterData": base64.b64encode(text.encode()).decode(), "signingMethod": "", "encodingMethod": "OCMF",
                             "publicKey": KNOWN_KEY}),
])  # fmt: skip
def test_it_is_found_in_whatever_chargers_wrap_it(wrap: Callable[[str], str]) -> None:
    text, key = ocmf.unwrap(wrap(KNOWN))
    assert text == KNOWN
    assert key in ("", KNOWN_KEY)


def test_begin_and_end_may_come_in_two_containers() -> None:
    begin, end = RD[0], RD[1] | {"RI": "1-b:1.8.0", "RU": "kWh"}
    both = [ocmf.read(f'OCMF|{json.dumps({"RD": [one]})}|{{"SD":""}}') for one in (begin, end)]
    assert ocmf.energy_wh(both) == Decimal(18_420)
    assert ocmf.energy_wh(both[:1]) is None
    assert ocmf.energy_wh([]) is None


DEEP = '{"a":' * 5_000 + "1" + "}" * 5_000
HOSTILE = [
    "", "OCMF", "OCMF|", "OCMF||", "OCMF|{}|{}", "OCMF|[]|[]", "XCMF|{}|{}", f"OCMF|{DEEP}|{{}}", f"OCMF|{{}}|{DEEP}",
    'OCMF|{"RD":[]}|{"SD":""}', 'OCMF|{"RD":{}}|{"SD":""}', 'OCMF|{"RD":[1]}|{"SD":""}', 'OCMF|{"RD":[{}]}|{"SD":1}',
    'OCMF|{"RD":[{}]}|{"SD":"zz"}', 'OCMF|{"RD":[{}]}|{"SA":[],"SD":""}', 'OCMF|{"RD":[{}]}|{"SE":"base64","SD":"*"}',
    'OCMF|{"RD":[' + ",".join(["{}"] * 1_001) + ']}|{"SD":""}', "\ud800", "|" * 10_000, "{" * 10_000, '{"signedMeterData":' * 99,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_ocmf_is_unreadable_and_nothing_worse(text: str) -> None:
    with pytest.raises(ocmf.NoContainer):
        ocmf.read(ocmf.unwrap(text)[0])


@pytest.mark.parametrize(
    "value", ['"NaN"', '"Infinity"', "1e999999", '"1e999999"', "true", "null", "[]", '"x"', '"' + "9" * 5_000 + '"']
)
def test_a_register_that_is_no_number_says_nothing(value: str) -> None:
    text = f'OCMF|{{"RD":[{{"TX":"B","RV":{value},"RU":"kWh"}},{{"TX":"E","RV":{value}}}]}}|{{"SD":""}}'
    try:
        found = ocmf.read(text)
    except ocmf.NoContainer:
        return
    assert ocmf.energy_wh([found]) is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_does_more_than_be_unreadable(payload: str, signature: str) -> None:
    for data in (payload, f"OCMF|{payload}|{signature}", f'OCMF|{{"RD":[{{"RV":{payload}}}]}}|{{"SD":"{signature}"}}'):
        text, key = ocmf.unwrap(data)
        try:
            found = ocmf.read(text)
        except ocmf.NoContainer:
            continue
        assert verdict(found, key or payload) is not Verdict.VERIFIED
