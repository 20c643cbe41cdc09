"""What `make messages` puts before the translators."""

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

REPOSITORY = Path(__file__).parents[1]

SOURCE = """
from appliance.domain.errors import Invalid, NotFound
from appliance.ui.language import N_, _, ngettext

TITLES = (N_("Board"),)


def show(number, late):
    if late:
        raise Invalid("connector", "This station has no connector {number}.", advice="Look at its label.", number=number)
    if number > 2:
        raise NotFound("There is no such charger.", "Register it first.")
    print("not for people")
    return _("Stop" if late else "Start") + ngettext("one car", "{count} cars", number)
"""


@pytest.fixture(name="found")
def _found(tmp_path: Path) -> set[str | tuple[str, ...]]:
    """The sentences found in a small package."""
    (tmp_path / "views.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "ui/templates").mkdir(parents=True)
    (tmp_path / "ui/templates/page.html").write_text('<h1>{{ _("Log in") }}</h1>', encoding="utf-8")
    babel = [sys.executable, "-m", "babel.messages.frontend", "--quiet"]
    subprocess.run(
        [*babel, "extract", "--mapping-file", "babel.cfg", "--output-file", tmp_path / "messages.pot", tmp_path],
        check=True,
        cwd=REPOSITORY,
        env={"PYTHONPATH": "scripts"},
    )
    with (tmp_path / "messages.pot").open("rb") as file:
        return {
            message.id if isinstance(message.id, str) else tuple(message.id) for message in read_po(file) if message.id
        }


def test_every_sentence_people_read_is_found_and_nothing_else(found: set[str | tuple[str, ...]]) -> None:
    assert found == {
        "Board",
        "Log in",
        "Stop",
        "Start",
        "This station has no connector {number}.",
        "Look at its label.",
        "There is no such charger.",
        "Register it first.",
        ("one car", "{count} cars"),
    }
