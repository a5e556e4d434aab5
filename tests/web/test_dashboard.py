"""The dashboard over real HTTP: who gets in, what a form must carry, and that its numbers are a recount of the rows."""

import csv
import io
import random
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import insert, update

from ivr.app import create_app
from ivr.flow.load import load_directory
from ivr.sandbox.town import ROOT
from ivr.store import counts
from ivr.store.counts import Counting
from ivr.store.tables import calls, deflections, messages
from tests import traffic_rows
from tests.deployment.stand import served
from tests.doors import Doors, opened_doors
from tests.traffic_rows import LANGUAGES, STOPS

PASSWORDS = "ada:correct-horse,bob:correct-battery"
PAGES = ("", "?by=day&span=7d", "?brand=acme&by=hour&span=yesterday", "/failures", "/failures?span=7d", "/now")
TABLES = ("/funnel.csv", "/failures.csv?span=7d", "/reasons.csv?span=7d", "/calls.csv", "/waiting.csv")
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
NUMBER = "+1(415) 555-2671"


class Site:
    """A browser of one person, at a dashboard."""

    def __init__(self, url: str, doors: Doors) -> None:
        self.url, self.doors, self.session = url, doors, requests.Session()

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(f"{self.url}/dashboard{path}", timeout=10, **more)

    def post(self, path: str, form: Mapping[str, str] = {}, **more: Any) -> requests.Response:
        return self.session.post(f"{self.url}/dashboard{path}", data=form, timeout=10, allow_redirects=False, **more)

    def log_in(self, name: str = "ada", password: str = "correct-horse", **more: str) -> requests.Response:
        return self.post("/login", {"name": name, "password": password, **more})

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get("/now").text)
        assert found
        return found[1]


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    flows = load_directory(ROOT / "flows").flows
    with opened_doors(database_url, flows, DASHBOARD_PASSWORD=PASSWORDS, PUBLIC_URL="http://127.0.0.1") as doors:
        with doors.runtime.database.writes() as tx:
            begin = doors.clock.now - timedelta(hours=5)
            traffic_rows.write_calls(tx, random.Random(7), begin, 40)
            for number in range(15):
                traffic_rows.happen(tx, random.Random(number), doors.clock.now, f"late-{number}")
        counts.roll_up(doors.runtime.database, Counting(LANGUAGES, STOPS), doors.clock.now)
        with served(create_app(doors.runtime)) as url:
            yield Site(url, doors)


@pytest.fixture
def inside(site: Site) -> Site:
    assert site.log_in().status_code == 303
    return site


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def naive_totals(site: Site) -> tuple[dict[str, int], dict[str, int]]:
    with site.doors.runtime.database.reads() as tx:
        counted, lost = traffic_rows.recounted(tx)
    totals: dict[str, int] = {}
    for measured in counted.values():
        for name, many in measured.items():
            totals[name] = totals.get(name, 0) + many
    reasons: dict[str, int] = {}
    for key, many in lost.items():
        reasons[key[-1]] = reasons.get(key[-1], 0) + many
    return totals, reasons


def test_without_a_password_there_is_no_dashboard(doors: Doors) -> None:
    for path in (*PAGES, *TABLES, "/login", "/style.css", "/icon.svg", "/call"):
        assert doors.client.get(f"/dashboard{path}").status_code == 404, path
    for path in ("/login", "/logout", "/messages/x/requeue", "/call"):
        assert doors.client.post(f"/dashboard{path}").status_code == 404, path


def test_nobody_sees_anything_before_the_login(site: Site) -> None:
    for path in (*PAGES, *TABLES, "/call?id=CA" + "0" * 32, "/call.csv?id=CA1"):
        answer = site.get(path, allow_redirects=False)
        assert (answer.status_code, answer.text) == (303, ""), path
        assert answer.headers["Location"].startswith("/dashboard/login?then=")
    for path in ("/logout", "/messages/x/requeue", "/call"):
        assert site.post(path, {"token": ""}).status_code == 403, path


def test_in_by_the_password_back_to_the_page_and_out(site: Site) -> None:
    assert site.log_in(password="wrong-horse").status_code == 401
    answer = site.log_in(then="/dashboard/failures?span=7d")
    assert answer.headers["Location"] == "/dashboard/failures?span=7d"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "correct" not in cookie
    assert "ada" in site.get("").text
    assert site.post("/logout", {"token": site.token()}).status_code == 303
    assert site.get("", allow_redirects=False).status_code == 303


def test_a_login_leads_to_pages_of_ours_alone(site: Site) -> None:
    for then in ("https://evil.example", "//evil.example", "/dashboardx", "/dashboard\\@evil", "/"):
        assert site.log_in(then=then).headers["Location"] == "/dashboard", then


def test_a_cookie_of_another_password_or_name_opens_nothing(site: Site, inside: Site) -> None:
    name, _, signed = inside.session.cookies["ivr_dashboard"].strip('"').partition("|")
    assert name == "ada"
    for cookie in (f"bob|{signed}", f"ada|{signed[:-2]}xx", "ada|", "|", "ada", f"eve|{signed}", "ada|é"):
        answer = requests.get(
            f"{site.url}/dashboard",
            headers={"Cookie": f"ivr_dashboard={cookie}".encode()},
            allow_redirects=False,
            timeout=10,
        )
        assert answer.status_code == 303, cookie


def test_wrong_passwords_are_slowed_down(site: Site) -> None:
    for _ in range(3):
        assert site.log_in(password="wrong").status_code == 401
    slowed = site.log_in()
    assert slowed.status_code == 429, "not even the right one is looked at"
    assert slowed.headers["Retry-After"] == "1"
    site.doors.clock.pass_(seconds=1)
    assert site.log_in(password="wrong").status_code == 401
    assert site.log_in().headers["Retry-After"] == "2"
    site.doors.clock.pass_(seconds=2)
    assert site.log_in().status_code == 303


def test_guessers_are_slowed_down_however_they_come(site: Site) -> None:
    with ThreadPoolExecutor(12) as pool:
        at_once = list(pool.map(lambda _: Site(site.url, site.doors).log_in(password="wrong").status_code, range(12)))
    assert at_once.count(401) == 3
    site.doors.clock.pass_(minutes=16)
    for number in range(30):  # who says to be somebody else each time
        answer = site.post("/login", {"name": "ada", "password": "no"}, headers={"X-Forwarded-For": f"10.0.0.{number}"})
        assert answer.status_code == 401
    forged = {"X-Forwarded-For": "10.9.9.9"}
    assert site.post("/login", {"name": "ada", "password": "correct-horse"}, headers=forged).status_code == 429
    assert requests.get(f"{site.url}/metrics", auth=("ada", "correct-horse"), timeout=10).status_code == 200


def test_metrics_asked_for_with_an_old_password_keep_nobody_out(site: Site) -> None:
    for _ in range(40):
        assert requests.get(f"{site.url}/metrics", auth=("ada", "of-last-year"), timeout=10).status_code == 401
        site.doors.clock.pass_(seconds=15)
    assert site.log_in().status_code == 303


def test_a_form_needs_the_token_of_who_sends_it_and_our_own_page(inside: Site) -> None:
    other = Site(inside.url, inside.doors)
    other.log_in("bob", "correct-battery")
    for token in ("", "wrong", other.token()):
        assert inside.post("/call", {"id": "CA1", "token": token}).status_code == 403
    token = inside.token()
    for header in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert inside.post("/logout", {"token": token}, headers=header).status_code == 403
        assert Site(inside.url, inside.doors).post("/login", {}, headers=header).status_code == 403
    assert inside.post("/logout", {"token": token}, headers={"Origin": inside.url}).status_code == 303


def test_every_page_has_its_policy_and_no_script(inside: Site) -> None:
    for path in (*PAGES, "/login", "/call?id=CA" + "0" * 32, "/call?id=none", "?by=colour"):
        answer = inside.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        outline = Outline(answer.text)
        assert not [tag for tag, _ in outline.tags if tag in ("script", "style", "iframe", "img")], path
        assert not [name for _, attrs in outline.tags for name in attrs if name == "style" or name.startswith("on")]
        tags = [tag for tag, _ in outline.tags]
        assert (tags.count("h1"), tags.count("main"), dict(outline.tags)["html"]) == (1, 1, {"lang": "en"}), path
        for name, attrs in outline.tags:
            assert name != "th" or attrs.get("scope") in ("col", "row"), path


def test_the_numbers_are_a_recount(inside: Site) -> None:
    totals, reasons = naive_totals(inside)
    steps = dict(re.findall(r'class="step">(\w+)</span>\s*<span class="many">([\d,]+)', inside.get("").text))
    assert {name: int(steps[name]) for name in totals} == totals
    for by in ("branch", "brand", "day", "number"):
        rows = list(csv.DictReader(io.StringIO(inside.get(f"/funnel.csv?by={by}").text)))
        assert {name: sum(int(row[name] or 0) for row in rows) for name in totals} == totals, by
    rows = list(csv.DictReader(io.StringIO(inside.get("/reasons.csv?span=7d").text)))
    assert {row["reason"]: int(row["failed"]) for row in rows} == reasons


def test_why_yesterday_s_texts_failed_is_two_clicks_away(inside: Site) -> None:
    inside.doors.clock.pass_(days=1)
    link = re.search(r'href="/dashboard(/failures)"', inside.get("").text)
    assert link
    page = inside.get(link[1]).text
    assert "The number is not in use." in page
    story = re.search(r'href="/dashboard(/call\?id=CA\w+)"', page)
    assert story
    assert "The offer is accepted" in inside.get(story[1]).text


def test_a_text_given_up_is_requeued(inside: Site) -> None:
    page = inside.get("/now").text
    dead = re.search(r"/dashboard(/messages/([\w-]+)/requeue)", page)
    assert dead
    answer = inside.post(dead[1], {"token": inside.token()})
    assert answer.status_code == 303
    assert "is due again" in inside.get("/now" + answer.headers["Location"].partition("/now")[2]).text
    assert inside.doors.rows("SELECT state FROM messages WHERE id = :id", id=dead[2]) == [("due",)]
    again = inside.post(dead[1], {"token": inside.token()})
    assert again.status_code == 409


def test_numbers_and_words_are_shown_to_who_asks_and_that_is_logged(inside: Site, logged: io.StringIO) -> None:
    with inside.doors.runtime.database.writes() as tx:
        call = {"call_sid": "CAstory", "brand": "acme", "entry": "menu", "caller": "+14155552671"}
        tx.execute(insert(calls).values(call | {"dialled": "+14155550100", "started_at": inside.doors.clock.now}))
        offer: dict[str, Any] = {"call_sid": "CAstory", "branch": "billing", "brand": "acme", "caller": "+14155552671"}
        offer |= {"offered_at": inside.doors.clock.now, "accepted_at": inside.doors.clock.now, "accepted_key": "1"}
        ((deflection,),) = tx.execute(insert(deflections).values(offer).returning(deflections.c.id))
        text: dict[str, Any] = {
            "id": "story-1",
            "kind": "greeting",
            "state": "sent",
            "deflection_id": deflection,
            "brand": "acme",
        }
        text |= {"number": "+14155552671", "sender": "+14155550111", "body": "A word to one person"}
        text["read_at"] = inside.doors.clock.now + timedelta(seconds=61)
        now = {"created_at": inside.doors.clock.now, "updated_at": inside.doors.clock.now}
        tx.execute(insert(messages).values(text | now))
    for path in ("/call?id=CAstory", "/call.csv?id=CAstory", "/now", "/calls.csv", "/waiting.csv", "/failures.csv"):
        answer = inside.get(path).text
        assert not re.search(r"555.?2671", answer), path
        assert "A word" not in answer
    shown = inside.post("/call", {"id": "CAstory", "token": inside.token()}).text
    assert NUMBER in shown
    assert "A word to one person" in shown
    assert f", read {inside.doors.clock.now + timedelta(seconds=61):%H:%M:%S}" in shown
    assert '"event": "call_unmasked", "call": "CAstory", "who": "ada"' in logged.getvalue()
    assert "2671" not in logged.getvalue()
    assert inside.get("/call?id=none").status_code == 404


def test_hostile_names_on_every_page(inside: Site) -> None:
    with inside.doors.runtime.database.writes() as tx:
        sid = f"api:{HOSTILE}"
        call = {
            "call_sid": sid,
            "brand": "<b>acme",
            "entry": "<i>menu",
            "caller": HOSTILE,
            "dialled": "=cmd|' /C calc'!A0",
        }
        tx.execute(insert(calls).values(call | {"started_at": inside.doors.clock.now}))
        offer: dict[str, Any] = {
            "call_sid": sid,
            "branch": "@sum<i>",
            "brand": "<b>acme",
            "caller": HOSTILE,
            "refused": "<u>why",
        }
        offer |= {"offered_at": inside.doors.clock.now, "accepted_at": inside.doors.clock.now}
        tx.execute(insert(deflections).values(offer))
        tx.execute(update(messages).where(messages.c.state == "dead").values(brand="<b>acme", number=HOSTILE))
    counts.roll_up(inside.doors.runtime.database, Counting(LANGUAGES, STOPS), inside.doors.clock.now)
    quoted = quote(sid, safe="")
    asked = f"?brand={quote(HOSTILE)}&by=branch&span=7d"
    named = (
        asked,
        f"/failures{asked}",
        "?brand=a%00b",
        "/call?id=%00",
        f"/call?id={quoted}",
        f"?since={quoted}",
        "?by=number&span=7d",
    )
    for path in (*PAGES, *named):
        answer = inside.get(path)
        assert answer.status_code in (200, 400, 404), path
        tags = {tag for tag, _ in Outline(answer.text).tags}
        assert not tags & {"script", "b", "i", "u"}, path
        assert "49" not in re.findall(r"&amp;(\d+)", answer.text)
    assert inside.post("/messages/a%00b/requeue", {"token": inside.token()}).status_code == 409
    for path in (*TABLES, f"/call.csv?id={quoted}"):
        for row in csv.reader(io.StringIO(inside.get(path).text)):
            assert not [cell for cell in row if cell.startswith(("=", "@", "-", "\t")) and cell != "-"], path


def test_pages_of_a_database_that_is_empty(database_url: str) -> None:
    flows = load_directory(ROOT / "flows").flows
    with opened_doors(database_url, flows, DASHBOARD_PASSWORD="a-password", PUBLIC_URL="http://127.0.0.1") as doors:
        assert doors.client.post("/dashboard/login", data={"password": "a-password"}).status_code == 303
        for path in (*PAGES, *TABLES, "?brand=acme&channel=sms&by=channel"):
            answer = doors.client.get(f"/dashboard{path}")
            assert answer.status_code == 200, path
        assert "Nothing was counted yet" in doors.client.get("/dashboard").text
        assert doors.client.get("/metrics", auth=("operator", "a-password")).status_code == 200


def test_simulated_traffic_says_so(inside: Site) -> None:
    with inside.doors.runtime.database.writes() as tx:
        row = {"call_sid": "sim:1", "brand": "acme~simulated", "entry": "menu", "caller": "+14155552671"}
        tx.execute(insert(calls).values(row | {"dialled": "+14155550100", "started_at": inside.doors.clock.now}))
    counts.roll_up(inside.doors.runtime.database, Counting(LANGUAGES, STOPS), inside.doors.clock.now)
    assert "acme (simulated)" in inside.get("?by=brand").text
    for path in ("", "/failures?span=7d"):
        assert "Simulated traffic is among these numbers" in inside.get(path).text
        printed = inside.get(f"{path or '?span=7d'}&brand=acme~simulated").text
        assert re.search(r"days in America/New_York; brand acme \(simulated\)\.", printed), "print has no filters"
    assert "Simulated traffic is" not in inside.get("?brand=acme").text
    assert "acme (simulated)" in inside.get("/now").text


def test_metrics_are_the_rows_and_not_everybody_s(site: Site) -> None:
    totals, _ = naive_totals(site)
    assert requests.get(f"{site.url}/metrics", timeout=10).status_code == 401
    assert requests.get(f"{site.url}/metrics", auth=("ada", "wrong-horse"), timeout=10).status_code == 401
    answer = requests.get(f"{site.url}/metrics", auth=("bob", "correct-battery"), timeout=10)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for name, many in totals.items():
        found = re.findall(rf"^ivr_{name}_total\{{.*\}} ([\d.e+]+)$", answer.text, re.MULTILINE)
        assert sum(map(float, found)) == many, name
    assert 'ivr_texts_waiting{state="dead",towards="consumer"}' in answer.text


def test_metrics_without_a_password_tell_no_volumes(doors: Doors) -> None:
    answer = doors.client.get("/metrics")
    assert answer.status_code == 200
    assert "ivr_texts_waiting" in answer.text
    assert "brand" not in answer.text
