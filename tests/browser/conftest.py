"""A real browser: Debian's Chromium, driven by Playwright; skipped with one line where there is none."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))

PATIENCE = 20_000  # ms
Opened = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marked, all that need a browser are skipped in one line a file."""
    if CHROMIUM.exists() or os.environ.get("REQUIRE_CHROMIUM") == "1":
        return
    skipped = pytest.mark.skip(reason=f"no browser at {CHROMIUM}; install chromium, or name one in CHROMIUM")
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(skipped)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"REQUIRE_CHROMIUM is set, and {CHROMIUM} is not there")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield chromium
        finally:
            chromium.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens a URL in a window of its own: `dark`, `narrow`. No page may complain, nor ask another machine."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    expect.set_options(timeout=PATIENCE)

    def open_(url: str, dark: bool = False, narrow: bool = False, script: str = "", **options: Any) -> Page:
        size = (390, 844) if narrow else (1440, 900)
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.on("console", lambda said: _told(said, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: _abroad(asked.url, complaints))
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def _told(said: ConsoleMessage, complaints: list[str]) -> None:
    """An error, but for a refusal (409), which the page shows to the person."""
    if said.type == "error" and "status of 409" not in said.text:
        complaints.append(said.text)


def _abroad(url: str, complaints: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname != "127.0.0.1":
        complaints.append(f"asked {parts.hostname}")
