"""The API's door: keys, sizes, replays and conflicts, hostile bodies, and a document that is true."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr import numbers
from ivr.clients.twilio import ABOUT_NUMBER, ABOUT_ROUTE
from ivr.flow import refusals
from ivr.limits import A_SECOND
from ivr.sandbox.town import ROOT
from ivr.web import api_document
from ivr.worker import Worker
from tests.asking import API_KEYS, EVERY, KEY, NUMBER, OTHER, ask, digest, problem, whom, yes
from tests.doors import Doors, opened_doors
from tests.test_conversations import FLOWS
from tests.test_worker import at_once

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def doors(database_url: str) -> Iterator[Doors]:
    with opened_doors(database_url, FLOWS, API_KEYS=API_KEYS) as here:
        yield here


def told(answer: Any) -> Any:
    return json.loads(answer.data)


# Keys

WRONG_KEYS = [
    ("none", {}),
    ("another", {"Authorization": "Bearer key-of-acme-0123456788"}),
    ("withdrawn", {"Authorization": "Bearer a-key-that-was-taken-out"}),
    ("its hash", {"Authorization": f"Bearer {digest(KEY)}"}),
    ("no scheme", {"Authorization": KEY}),
    ("another scheme", {"Authorization": f"Basic {KEY}"}),
    ("empty", {"Authorization": "Bearer "}),
    ("no ASCII", {"Authorization": "Bearer \xfc\xff"}),
    ("long", {"Authorization": "Bearer " + "x" * 5000}),
    ("two", {"Authorization": f"Bearer {KEY} {KEY}"}),
]
ROUTES: list[tuple[str, Any]] = [
    ("eligibility", whom()),
    ("deflections", yes()),
    ("deflections", None),
    ("deflections/" + "0" * 32, None),
    ("openapi.json", None),
]


@pytest.mark.parametrize("headers", [case[1] for case in WRONG_KEYS], ids=[case[0] for case in WRONG_KEYS])
def test_without_a_key_of_ours_nothing_is_done(doors: Doors, headers: dict[str, str], logged: io.StringIO) -> None:
    for path, body in ROUTES:
        answer = ask(doors, path, body, None, **headers)
        assert problem(answer) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert doors.rows("SELECT count(*) FROM deflections") == [(0,)]
    assert KEY not in logged.getvalue()
    assert digest(KEY) not in logged.getvalue()


def test_without_api_keys_there_is_no_way_in(database_url: str) -> None:
    with opened_doors(database_url, FLOWS) as doors:
        assert problem(ask(doors, "deflections", yes())) == (401, "unauthorized")


# the key, the brand that is named, and what comes
BRANDS = [
    ("its own", KEY, "acme", 201),
    ("its own, unnamed", KEY, None, 201),
    ("another's", KEY, "corner-bakery", 403),
    ("nobody's", KEY, "acne", 403),
    ("every, named", EVERY, "acme", 201),
    ("every, unnamed", EVERY, None, 422),
    ("every, nobody's", EVERY, "acne", 403),
]


@pytest.mark.parametrize(("key", "brand", "status"), [case[1:] for case in BRANDS], ids=[case[0] for case in BRANDS])
def test_a_key_opens_its_brands(doors: Doors, key: str, brand: str | None, status: int) -> None:
    asked = yes() if brand is None else yes(brand=brand)
    assert ask(doors, "deflections", asked, key).status_code == status


def test_another_brand_s_deflection_is_not_there(doors: Doors) -> None:
    name = told(ask(doors, "deflections", yes()))["id"]
    assert problem(ask(doors, f"deflections/{name}", key=OTHER)) == (404, "not-found")
    assert told(ask(doors, "deflections", key=OTHER)) == {"deflections": [], "next": None}
    assert ask(doors, f"deflections/{name}", key=EVERY).status_code == 200


# Once


def test_a_replay_is_answered_the_same_whatever_has_happened(doors: Doors) -> None:
    first = ask(doors, "deflections", yes(), Idempotency_Key="k-1")
    Worker(doors.runtime).round(at_once)
    doors.clock.pass_(hours=47)
    again = ask(
        doors, "deflections", yes(consent={"key": "1", "prompt": yes()["consent"]["prompt"]}), Idempotency_Key="k-1"
    )
    assert (again.status_code, again.data) == (201, first.data)
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    doors.clock.pass_(hours=2)
    Worker(doors.runtime).round(at_once)
    assert doors.rows("SELECT count(*) FROM api_answers") == [(0,)]
    later = ask(doors, "deflections", yes(), Idempotency_Key="k-1")
    assert (later.status_code, told(later)["state"]) == (200, "sent"), "the call keeps it single"
    assert len(doors.twilio.sent) == 1


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("number", {"number": "+1 415 555 2672"}),
    ("words", {"message": "Other"}),
    ("call", {"call_id": "genesys-2"}),
    ("branch", {"branch": "bookings"}),
    ("skill", {"skill": "1"}),
    ("attributes", {"attributes": {"order": "1"}}),
    ("consent", {"consent": {"prompt": "Another"}}),
]


@pytest.mark.parametrize("changes", [case[1] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_a_key_used_for_something_else_is_a_conflict(doors: Doors, changes: dict[str, Any]) -> None:
    first = ask(doors, "deflections", yes(), Idempotency_Key="k-1")
    assert problem(ask(doors, "deflections", yes(**changes), Idempotency_Key="k-1")) == (409, "conflict")
    assert ask(doors, "deflections", yes(), Idempotency_Key="k-1").data == first.data
    assert doors.rows("SELECT count(*) FROM messages") == [(1,)]


def test_idempotency_keys_are_a_key_s_own(doors: Doors) -> None:
    bakery = {"branch": "orders", "call_id": "b-1"}
    assert ask(doors, "deflections", yes(), Idempotency_Key="k-1").status_code == 201
    assert ask(doors, "deflections", yes(**bakery), OTHER, Idempotency_Key="k-1").status_code == 201


def test_a_refusal_is_replayed_and_a_fault_uses_nothing_up(doors: Doors) -> None:
    assert problem(ask(doors, "deflections", yes(skill=5), Idempotency_Key="k-1")) == (422, "invalid")
    refused = ask(doors, "deflections", yes(number="+18005550100"), Idempotency_Key="k-1")
    assert problem(refused) == (422, "not-eligible")
    again = ask(doors, "deflections", yes(number="+18005550100"), Idempotency_Key="k-1")
    assert (again.data, again.mimetype) == (refused.data, "application/problem+json")


@pytest.mark.parametrize("name", ["x" * 256, "a b", "\xe9"])
def test_idempotency_keys_that_are_none(doors: Doors, name: str) -> None:
    assert problem(ask(doors, "deflections", yes(), Idempotency_Key=name)) == (422, "invalid")


# Pace


def test_thirty_a_second_for_each_key(doors: Doors) -> None:
    for _ in range(A_SECOND):
        assert ask(doors, "deflections").status_code == 200
    answer = ask(doors, "deflections")
    assert problem(answer) == (429, "too-many")
    assert answer.headers["Retry-After"] == "1"
    assert ask(doors, "deflections", key=OTHER).status_code == 200, "another key has its own"
    doors.clock.pass_(seconds=-60)
    assert ask(doors, "deflections").status_code == 429
    doors.clock.pass_(seconds=1)
    assert [ask(doors, "deflections").status_code for _ in range(A_SECOND + 1)] == [200] * A_SECOND + [429]


# Who is texted

NUMBERS = [
    ("a mobile", NUMBER, None),
    ("none", "12", "no_number"),
    ("withheld", "anonymous", "no_number"),
    ("keypad words", "+266696687", "no_number"),
    ("toll-free", "+18005550100", "toll_free"),
    ("another country", "+442079460000", "region"),
    ("ours, dialled", "+14155550100", "ours"),
    ("ours, texting", "+14155550111", "ours"),
]


@pytest.mark.parametrize(("number", "reason"), [case[1:] for case in NUMBERS], ids=[case[0] for case in NUMBERS])
def test_who_is_texted_is_the_same_both_ways(doors: Doors, number: str, reason: str | None) -> None:
    found = told(ask(doors, "eligibility", whom(number=number)))
    assert found["eligible"] is (reason is None)
    assert found["recommended"] == (None if reason else "sms")
    assert [one["reason"] for one in found["reasons"]] == ([reason] if reason else [])
    assert [(one["channel"], one["eligible"]) for one in found["channels"]] == [("sms", reason is None)]
    answer = ask(doors, "deflections", yes(number=number))
    assert answer.status_code == (422 if reason else 201)
    if reason:
        assert [one["reason"] for one in told(answer)["deflection"]["reasons"]] == [reason]
    assert doors.rows("SELECT count(*) FROM messages") == [(0 if reason else 1,)]
    assert doors.rows("SELECT count(*) FROM calls") == [(1,)], "to ask is no call"


def test_a_number_that_is_not_the_caller_s_has_one_greeting_a_day(doors: Doors) -> None:
    other = {"caller": "+1 415 555 0199"}
    assert ask(doors, "deflections", yes(**other)).status_code == 201
    found = told(ask(doors, "eligibility", whom(**other)))
    assert found["reasons"][0]["reason"] == "had_its_text"
    assert problem(ask(doors, "deflections", yes(call_id="2", **other))) == (422, "not-eligible")
    assert ask(doors, "deflections", yes(call_id="3")).status_code == 201, "who calls from it may have it again"
    doors.clock.pass_(days=1, seconds=1)
    assert ask(doors, "deflections", yes(call_id="4", **other)).status_code == 201


def test_a_caller_has_three_other_numbers_texted_a_day(doors: Doors) -> None:
    for place in range(3):
        asked = yes(call_id=f"c-{place}", caller="+1 415 555 0199", number=f"+1 415 555 267{place}")
        assert ask(doors, "deflections", asked).status_code == 201
    asked = yes(call_id="c-3", caller="sip:+14155550199@example.com", number="+1 415 555 2674")
    assert ask(doors, "deflections", asked).status_code == 201, "another caller"
    answer = ask(doors, "deflections", asked | {"call_id": "c-4", "caller": "+14155550199", "number": "+14155552675"})
    assert told(answer)["deflection"]["reasons"][0]["reason"] == "too_many"


def test_every_reason_has_its_words_and_is_in_the_page() -> None:
    known = {*ABOUT_NUMBER.values(), *ABOUT_ROUTE.values(), *numbers._NEVER_TEXTED.values()}
    rule = {"no_number", "region", "ours", "opted_out", "had_its_text", "too_many", "not_enrolled"}
    assert set(refusals.REASONS) == known | rule
    for reason, words in refusals.REASONS.items():
        assert f"| `{reason}` | {words} |" in PAGE


# Bodies

HOSTILE: list[tuple[str, bytes, tuple[int, str]]] = [
    ("empty", b"", (400, "not-json")),
    ("no JSON", b"{", (400, "not-json")),
    ("not UTF-8", b'{"branch": "\xff"}', (400, "not-json")),
    ("a form", b"branch=billing&number=1", (400, "not-json")),
    ("deep", b"[" * 30_000, (400, "not-json")),
    ("NaN", b'{"branch": NaN}', (422, "invalid")),
    ("a list", b"[]", (422, "invalid")),
    ("null", b"null", (422, "invalid")),
    ("a lone surrogate", b'{"branch": "\\ud800"}', (400, "not-json")),
    ("nothing", b"{}", (422, "invalid")),
    ("too large", b" " * (64 * 1024 + 1), (413, "too-large")),
]


@pytest.mark.parametrize(("body", "comes"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_bodies_that_are_none(doors: Doors, body: bytes, comes: tuple[int, str]) -> None:
    for path in ("eligibility", "deflections"):
        assert problem(ask(doors, path, body)) == comes
    assert doors.rows("SELECT count(*) FROM deflections") == [(0,)]


def test_other_media_types_are_not_read(doors: Doors) -> None:
    answer = ask(doors, "deflections", yes(), Content_Type="application/x-www-form-urlencoded")
    assert problem(answer) == (415, "media-type")


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown key", {"skil": "1"}, "/skil"),
    ("an unknown branch", {"branch": "nowhere"}, "/branch"),
    ("no branch at all", {"branch": "x'; DROP TABLE calls; --"}, "/branch"),
    ("a number that is a number", {"number": 14155552671}, "/number"),
    ("NUL", {"number": "+1415\x00"}, "/number"),
    ("a long number", {"number": "1" * 41}, "/number"),
    ("no consent", {"consent": None}, "/consent"),
    ("no words", {"consent": {"prompt": ""}}, "/consent/prompt"),
    ("two keys", {"consent": {"prompt": "x", "key": "11"}}, "/consent/key"),
    ("a call without a name", {"call_id": ""}, "/call_id"),
    ("a long call", {"call_id": "x" * 61}, "/call_id"),
    ("a call with blanks", {"call_id": "a b"}, "/call_id"),
    ("another channel", {"channel": "fax"}, "/channel"),
    ("an empty text", {"message": ""}, "/message"),
    ("a long text", {"message": "x" * 1601}, "/message"),
    ("a bell in the text", {"message": "x\x07"}, "/message"),
    ("a long skill", {"skill": "x" * 101}, "/skill"),
    ("a skill with a line", {"skill": "1\n2"}, "/skill"),
    ("many attributes", {"attributes": {f"a{n}": "" for n in range(21)}}, "/attributes"),
    ("a long value", {"attributes": {"a": "x" * 201}}, "/attributes/a"),
    ("a strange name", {"attributes": {"a b": "x"}}, "/attributes/a b/[key]"),
    ("a nested value", {"attributes": {"a": {"b": "c"}}}, "/attributes/a"),
    ("much in all", {"attributes": {f"a{n}": "x" * 199 for n in range(3)}}, ""),
    ("yesterday's call", {"called_at": "2026-03-01T14:21:00Z"}, "/called_at"),
    ("a call to come", {"called_at": "2026-03-02T15:00:00Z"}, "/called_at"),
    ("no zone", {"called_at": "2026-03-02T14:20:00"}, "/called_at"),
    ("the year 1", {"called_at": "0001-01-01T00:00:00+14:00"}, "/called_at"),
    ("the last year", {"called_at": "9999-12-31T23:59:59-14:00"}, "/called_at"),
    ("seconds of Unix", {"called_at": 1772461325}, "/called_at"),
]


@pytest.mark.parametrize(("changes", "at"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_each_fault_is_named_with_its_place(doors: Doors, changes: dict[str, Any], at: str) -> None:
    answer = ask(doors, "deflections", yes(**changes))
    assert problem(answer) == (422, "invalid")
    assert [wrong["at"] for wrong in told(answer)["errors"]] == [at]
    assert doors.rows("SELECT count(*) FROM deflections") == [(0,)]


def test_neither_numbers_nor_words_are_in_the_log(doors: Doors, logged: io.StringIO) -> None:
    asked = yes(
        message="Secret words", attributes={"order": "Secret order"}, caller="+14155550199", call_id="+14155552671"
    )
    assert ask(doors, "deflections", asked).status_code == 201
    Worker(doors.runtime).round(at_once)
    ask(doors, "deflections", yes(number="+1 415 555 2671 Secret", call_id="2"))
    for secret in ("Secret", "4155552671", "555-2671", "4155550199"):
        assert secret not in logged.getvalue()


# Nowhere


@pytest.mark.parametrize(("method", "path", "comes"), [
    ("GET", "/api/v1/nothing", (404, "not-found")),
    ("POST", "/api/v2/deflections", (404, "not-found")),
    ("PUT", "/api/v1/deflections", (405, "method")),
    ("DELETE", "/api/v1/deflections/1", (405, "method")),
    ("GET", "/api/v1/eligibility", (405, "method")),
    ("GET", "/api/v1/deflections/1", (404, "not-found")),
    ("GET", "/api/v1/deflections/" + "%00" * 32, (404, "not-found")),
])  # fmt: skip
def test_nowhere(doors: Doors, method: str, path: str, comes: tuple[int, str]) -> None:
    answer = doors.client.open(path, method=method, headers={"Authorization": f"Bearer {KEY}"})
    assert problem(answer) == comes
    assert (answer.headers.get("Allow") is not None) is (comes[0] == 405)


def test_what_was_not_written_uses_nothing_up(doors: Doors) -> None:
    """The database fails in the middle: the same request is then asked for the first time."""
    _rename(doors, "messages", "elsewhere")
    assert problem(ask(doors, "deflections", yes(), Idempotency_Key="k-1")) == (503, "not-now")
    _rename(doors, "elsewhere", "messages")
    answer = ask(doors, "deflections", yes(), Idempotency_Key="k-1")
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)
    Worker(doors.runtime).round(at_once)
    assert len(doors.twilio.sent) == 1


def _rename(doors: Doors, table: str, name: str) -> None:
    with doors.runtime.database.writes() as tx:
        tx.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


def test_elsewhere_errors_stay_as_they_are(doors: Doors) -> None:
    assert doors.client.get("/nothing").mimetype == "text/html"


def test_when_the_database_is_away(doors: Doors) -> None:
    with doors.runtime.database.writes() as tx:
        for table in ("messages", "conversations", "api_deflections", "deflections", "calls"):
            tx.exec_driver_sql(f"DROP TABLE {table}")
    for path, body in ROUTES[:4]:
        if body != whom():
            answer = ask(doors, path, body)
            assert problem(answer) == (503, "not-now")
            assert answer.headers["Retry-After"] == "1"


# The list


def test_a_list_is_paged_and_nothing_is_missed(doors: Doors) -> None:
    names = []
    for place in range(7):
        names.append(told(ask(doors, "deflections", yes(call_id=f"c-{place}")))["id"])
        doors.clock.pass_(seconds=place % 2)  # some at one moment
    seen, cursor = [], ""
    while True:
        page = told(ask(doors, f"deflections?limit=3{cursor}"))
        seen += [one["id"] for one in page["deflections"]]
        if not page["next"]:
            break
        cursor = f"&cursor={page['next']}"
        ask(doors, "deflections", yes(call_id=f"new-{cursor}"[:60]))  # what comes meanwhile is before the first page
    assert sorted(seen) == sorted(names)
    assert len(told(ask(doors, "deflections?branch=bookings"))["deflections"]) == 0


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=x", "cursor=x", "cursor=", "cursor=%00", "cursor=MjAyNg", "brand=A", "order=asc",
    "cursor=" + "A" * 200, "branch=%F0%9F", "cursor=MDAwMS0wMS0wMVQwMDowMDowMCswMDowMCA",
])  # fmt: skip
def test_queries_that_are_none(doors: Doors, query: str) -> None:
    assert problem(ask(doors, f"deflections?{query}")) == (422, "invalid")


# The document


def test_the_document_is_served_and_names_every_route(doors: Doors) -> None:
    document = told(ask(doors, "openapi.json"))
    assert document == json.loads(json.dumps(api_document.document()))
    routes = {
        (re.sub(r"<\w+>", "{id}", rule.rule), method.lower())
        for rule in doors.client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method) for path, methods in document["paths"].items() for method in methods}
    for name in re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in document["components"]["schemas"]


def test_the_page_s_requests_are_answered_as_it_says(doors: Doors) -> None:
    bodies = [json.loads(body) for body in re.findall(r"-d '(.*?)'", PAGE, re.DOTALL)]
    assert [set(body) >= {"branch", "number"} for body in bodies] == [True, True]
    found = ask(doors, "eligibility", bodies[0])
    blocks = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert json.loads(found.data) == json.loads(blocks[0])
    assert ask(doors, "deflections", bodies[1]).status_code == 201
    assert ask(doors, "deflections?branch=billing&limit=50").status_code == 200


DOCUMENT = api_document.document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of the document allows."""
    if "$ref" in schema:
        return of(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return st.one_of([of(one) for one in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "object":
        return of_object(schema)
    if schema.get("format") == "date-time":
        return st.sampled_from(["2026-03-02T14:20:00Z", "2026-03-02T09:20:00-05:00"])
    if schema.get("type") == "null":
        return st.none()
    assert schema.get("type") == "string", schema
    if "maxLength" not in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z"))
    if schema["pattern"].startswith("^http"):
        return st.sampled_from(["https://hooks.example.com/1", "http://127.0.0.1/", "https://[", "http://a:99999/"])
    visible = st.characters(exclude_categories=("Cc", "Cs"))
    return st.text(visible, min_size=schema.get("minLength", 0), max_size=schema["maxLength"])


def of_object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "patternProperties" in schema:
        assert schema["additionalProperties"] is False
        ((pattern, value),) = schema["patternProperties"].items()
        names = st.from_regex(pattern.replace("$", r"\Z"))
        return st.dictionaries(names, of(value), max_size=schema["maxProperties"])
    needed = schema.get("required", [])
    given = {name: of(one) for name, one in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: given[name] for name in needed},
        optional={name: one for name, one in given.items() if name not in needed},
    )


def some(name: str) -> st.SearchStrategy[Any]:
    """As documented, and more often than chance would have it of a branch and a number that are there."""
    real = st.fixed_dictionaries({"branch": st.just("billing"), "number": st.just(NUMBER), "brand": st.just("acme")})
    bodies = of({"$ref": f"#/components/schemas/{name}"})
    return st.one_of(bodies, st.builds(lambda body, there: {**body, **there}, bodies, real))


def is_as_documented(schema: dict[str, Any], value: Any) -> None:
    """Every key that an answer has is documented, and every one that must be there is."""
    if "$ref" in schema:
        return is_as_documented(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], value)
    if "anyOf" in schema:
        return None if value is None else is_as_documented(schema["anyOf"][0], value)
    if schema.get("type") == "object" and "properties" in schema:
        assert set(schema.get("required", [])) <= value.keys() <= schema["properties"].keys()
        for name, one in value.items():
            is_as_documented(schema["properties"][name], one)
    if schema.get("type") == "array":
        for one in value:
            is_as_documented(schema["items"], one)
    if "enum" in schema:
        assert value in schema["enum"]
    return None


BODIES = {"eligibility": some("EligibilityRequest"), "deflections": some("DeflectionRequest")}
ASKED = st.deferred(lambda: st.one_of([st.tuples(st.just(path), bodies) for path, bodies in BODIES.items()]))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=ASKED, key=st.sampled_from([KEY, EVERY]))
def test_whatever_is_as_documented_is_answered_as_documented(doors: Doors, asked: tuple[str, Any], key: str) -> None:
    doors.clock.pass_(seconds=1)
    path, body = asked
    answer = ask(doors, path, body, key)
    described = DOCUMENT["paths"][f"/api/v1/{path}"]["post"]["responses"]
    assert str(answer.status_code) in described
    assert answer.status_code < 500
    assert answer.status_code not in (400, 415)
    ((kind, content),) = described[str(answer.status_code)]["content"].items()
    assert answer.mimetype == kind
    is_as_documented(content["schema"], told(answer))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([*yes(), "skill", "attributes", "called_at", "caller"]) | st.text(), inner
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
    ),
    path=st.sampled_from(["eligibility", "deflections"]),
)
def test_nothing_at_all_breaks_it(doors: Doors, body: bytes, path: str) -> None:
    doors.clock.pass_(seconds=1)
    assert ask(doors, path, body).status_code < 500
