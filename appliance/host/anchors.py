"""The file `anchors` beside the database, and lines in the journal: what the books were (db/integrity/anchors.py)."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from appliance.db.integrity.anchors import Anchor
from appliance.host.data_directory import DataDirectory
from appliance.host.secrets import SealingKey, derived, load
from appliance.host.tls import files
from appliance.services.ports.anchors import AnchorsChanged, Kept

log = logging.getLogger(__name__)

PURPOSE = "forecourt anchor 1"


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """The body of `ports.Anchors`."""

    path: Path
    key: bytes

    def load(self) -> Kept | None:
        """See `Anchors`."""
        try:
            mac, _newline, text = self.path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if not hmac.compare_digest(mac, self._mac(text)):
            raise AnchorsChanged
        found = orjson.loads(text)
        return Kept(Anchor.read(found["anchor"]), found["seals"], found["sealed_at_ms"], found["sealed_seq"])

    def save(self, kept: Kept) -> None:
        """See `Anchors`."""
        text = orjson.dumps(
            {
                "anchor": kept.anchor.line(),
                "seals": kept.seals,
                "sealed_at_ms": kept.sealed_at_ms,
                "sealed_seq": kept.sealed_seq,
            }
        )
        files.write(self.path, self._mac(text) + b"\n" + text, 0o600)

    def tell(self, anchor: Anchor) -> None:
        """See `Anchors`."""
        log.info("books anchored", extra={"anchor": anchor.line()})

    def _mac(self, text: bytes) -> bytes:
        return hmac.new(self.key, text, sha256).hexdigest().encode()


def anchor_file(data: DataDirectory, key: SealingKey | None = None) -> AnchorFile | None:
    """The anchors of a site; None where its sealing key is missing."""
    key = key if key is not None else load(data)
    return AnchorFile(data.anchors, derived(key.key, PURPOSE)) if key is not None else None
