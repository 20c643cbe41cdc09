"""What axe-core finds on a page, by day and by night."""

from __future__ import annotations

from importlib import resources
from typing import Literal

from playwright.async_api import Page

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
RUN = """async (options) => (await axe.run(document, { resultTypes: ["violations"], ...options })).violations.flatMap(
  (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")} ${node.html.slice(0, 100)}`))"""
SCHEMES: tuple[tuple[Literal["light", "dark"], dict[str, object]], ...] = (
    ("light", {}),
    ("dark", {"runOnly": ["color-contrast"]}),
)
"""By night and by day a page has the same words, names and parts: only its colours differ."""


async def findings(page: Page) -> list[str]:
    """What is wrong with the page as it is shown. It is left in the dark."""
    await page.evaluate(AXE)
    found: list[str] = []
    for scheme, rules in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        found += [f"{scheme} {one}" for one in await page.evaluate(RUN, rules)]
    return found
