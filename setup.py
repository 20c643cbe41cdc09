"""The package is described in setup.cfg. Here stands what a build does besides: it compiles the catalogs of the languages."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCatalogs(build_py):
    """A checkout keeps no compiled catalogs, and what is installed needs them."""

    def run(self) -> None:
        """Copy the package, then compile in the copy."""
        super().run()
        if self.editable_mode:
            return  # There is no copy; `make` compiles in the checkout.
        for catalog in Path(self.build_lib).rglob("*.po"):
            with catalog.open("rb") as source, catalog.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))


setup(cmdclass={"build_py": BuildWithCatalogs})
