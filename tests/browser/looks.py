"""How a page looks: what axe-core finds, and pictures of it for a person to look at."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")


def nothing_serious(page: Page) -> None:
    found = [
        f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in SERIOUS
    ]
    assert found == []


def shot(page: Page, name: str) -> None:
    """A picture in the directory that SHOTS names; none unless it does."""
    if directory := os.environ.get("SHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)
