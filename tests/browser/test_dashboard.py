"""The dashboard in a browser: every page by day and night, wide and narrow; what a person does there, by keyboard too."""

import csv
import io
import os
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from ivr.app import create_app
from ivr.cli.main import main
from ivr.flow.aims import Goal
from ivr.flow.load import load_directory
from ivr.sandbox.town import SECRET_KEY
from ivr.store import counts
from ivr.store.counts import Counting
from ivr.store.tables import calls
from tests import traffic_rows
from tests.browser.conftest import Opened
from tests.browser.looks import nothing_serious, shot
from tests.conftest import FLOWS
from tests.databases import new_database, sqlalchemy_url
from tests.deployment.stand import served
from tests.doors import Doors, opened_doors
from tests.traffic_rows import LANGUAGES, STOPS

PASSWORDS = "ada:correct-horse,bob:correct-battery"
FORMULA = "=HYPERLINK(evil)"


class Site:
    def __init__(self, url: str, doors: Doors) -> None:
        self.url, self.doors = f"{url}/dashboard", doors


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two simulated months of acme, and real calls of yesterday and today, of which some texts were given up."""
    with new_database("sqlite", tmp_path_factory.mktemp("dashboard")) as address:
        url = sqlalchemy_url(address)
        with pytest.MonkeyPatch.context() as environ:
            for name, value in {"DATABASE_URL": address, "SECRET_KEY": SECRET_KEY, "FLOWS_DIR": str(FLOWS)}.items():
                environ.setenv(name, value)
            assert (
                main(["demo-data", "--brand", "acme", "--calls", "1500", "--months", "2", "--until", "2026-03-02"]) == 0
            )
        flows = dict(load_directory(FLOWS).flows)
        flows["acme"] = replace(flows["acme"], goal=Goal(rate=0.2))
        with opened_doors(url, flows, DASHBOARD_PASSWORD=PASSWORDS, PUBLIC_URL="http://127.0.0.1") as doors:
            _real_rows(doors)
            with served(create_app(doors.runtime)) as at:
                yield Site(at, doors)


def _real_rows(doors: Doors) -> None:
    now = doors.clock.now
    with doors.runtime.database.writes() as tx:
        for place, hours in enumerate((30, 5)):
            traffic_rows.write_calls(tx, random.Random(7 + place), now - timedelta(hours=hours), 40, first=place * 100)
        for number in range(15):
            traffic_rows.happen(tx, random.Random(number), now, f"late-{number}")
        row = {"call_sid": "CAformula", "brand": "acme", "entry": "menu", "caller": "+14155552671", "dialled": FORMULA}
        tx.execute(insert(calls).values(row | {"started_at": now}))
    counts.roll_up(doors.runtime.database, Counting(LANGUAGES, STOPS), now)


def log_in(page: Page) -> None:
    """By keyboard alone."""
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type("correct-horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_every_page_by_day_and_night_wide_and_narrow(site: Site, opened: Opened) -> None:
    for dark in (True, False):
        page = opened(f"{site.url}/login", dark=dark, narrow=dark)
        nothing_serious(page)
        shot(page, "login-dark-narrow" if dark else "login-light")
    log_in(page)
    known = page.context.storage_state()
    page.goto(f"{site.url}/now")
    texted = page.get_by_role("row").filter(has_text="text delivered").first
    story = texted.get_by_role("link", name=re.compile("^story")).get_attribute("href")
    pages = {
        "funnel": "?brand=acme~simulated&span=91d",
        "goals": "?brand=acme&by=day&span=7d",
        "nothing": "?branch=nowhere&span=yesterday",
        "failures": "/failures?span=7d",
        "now": "/now",
        "story": str(story).removeprefix("/dashboard"),
    }
    looks = [(False, False), (True, True)]  # colours and widths once each; a person who looks at pictures gets all
    for dark, narrow in looks + [(True, False), (False, True)] * ("SHOTS" in os.environ):
        page = opened(f"{site.url}/now", dark=dark, narrow=narrow, storage_state=known)
        for name, path in pages.items():
            page.goto(f"{site.url}{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            nothing_serious(page)
            if narrow:
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
            shot(page, f"{name}-{'dark' if dark else 'light'}{'-narrow' if narrow else ''}")
            if dark and not narrow:
                page.emulate_media(media="print", color_scheme="light")
                shot(page, f"{name}-print")
                page.emulate_media(media="screen", color_scheme="dark")


def test_what_an_operator_does(site: Site, opened: Opened, logged: io.StringIO) -> None:
    page = opened(f"{site.url}/failures?span=7d")
    log_in(page)
    assert urlsplit(page.url).query == "span=7d", "back to the page that was asked for"
    icon = page.locator("link[rel=icon]").get_attribute("href")
    assert (
        page.request.get(f"{site.url.removesuffix('/dashboard')}{icon}").headers["content-type"].startswith("image/svg")
    )
    _numbers_are_shown_and_logged(page, logged)
    page.get_by_role("link", name="Now", exact=True).click()
    given_up = page.locator("#given-up")
    before = int(given_up.inner_text().rpartition(" ")[2])
    page.get_by_role("button", name="Requeue").first.click()
    expect(page.get_by_role("status")).to_contain_text("The text is due again")
    expect(given_up).to_have_text(f"Given up: {before - 1}")
    with page.expect_download() as download:
        page.get_by_role("link", name="The last thousand as CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert len(rows) > 80
    assert f"'{FORMULA}" in [cell for row in rows for cell in row]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "-"))]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def _numbers_are_shown_and_logged(page: Page, logged: io.StringIO) -> None:
    listed = page.get_by_role("region", name="Failures: table").get_by_role("row")
    texted = listed.filter(has_text="The number is not in use.").first
    texted.get_by_role("link", name=re.compile("^story")).click()
    timeline = page.locator(".story")
    expect(timeline).to_contain_text("The offer is accepted")
    assert "555-200" not in timeline.inner_text()
    page.get_by_role("button", name="Show numbers and words").click()
    expect(page.get_by_role("status")).to_contain_text("that ada asked is in the log")
    expect(timeline).to_contain_text("555-200")
    assert re.search(r'"event": "call_unmasked", "call": "CA\d+", "who": "ada"', logged.getvalue())
