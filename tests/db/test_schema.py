"""docs/SCHEMA.sql, from which newcomers learn what is kept, is what the migrations add up to."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

ROOT = Path(__file__).parents[2]


def test_the_schema_that_is_written_down_is_the_one_that_is_made() -> None:
    made = run_path(str(ROOT / "scripts/write-schema"))["schema"]()

    assert (ROOT / "docs/SCHEMA.sql").read_text(encoding="utf-8") == made, "run `make schema`"
