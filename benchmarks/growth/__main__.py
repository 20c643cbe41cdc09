"""Whether costs stay flat: a site of two years beside a young one, and everything of both that anybody waits for.

`python -m benchmarks.growth [--folder DIR] [--share 1.0] [--only start,pages,tiles,files,night,load] [--analyze]`

Without a folder both sites are made in a temporary one and removed afterwards; a folder is kept, and what it holds is used again.
`--share 0.1` makes a tenth of the two years.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from appliance.db.engine.migrate import migrate
from benchmarks.growth import site
from benchmarks.growth.measure import PARTS, measure


def main() -> None:
    """Make what is missing, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the sites are kept")
    parser.add_argument("--share", type=float, default=1.0, help="of the two years")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument(
        "--analyze", action="store_true", help="with the planner's statistics, which the product does without"
    )
    arguments = parser.parse_args()
    sizes = {"young": site.YOUNG, "grown": site.grown(arguments.share)}
    with ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(dir=".", prefix=".bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        for name, size in sizes.items():
            make(folder / name, size)
        measure(
            folder, sizes, [part for part in PARTS if part in arguments.only.split(",")], analyzed=arguments.analyze
        )


def make(folder: Path, size: site.Size) -> None:
    """The site, unless it is there in that size."""
    known = folder / "size"
    if known.exists() and known.read_text() == str(size):
        migrate(folder / "forecourt.db", set_aside=False)
        return
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    site.build(folder, size, time.time_ns() // 1_000_000)
    known.write_text(str(size))
    file = folder / "forecourt.db"
    print(
        f"made: {size.sessions:,} sessions in {size.days} days, {file.stat().st_size / 1e6:,.0f} MB, in {time.perf_counter() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
