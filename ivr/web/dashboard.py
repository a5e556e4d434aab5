"""The dashboard: the entrance, the funnel, and why texts failed; every table as a page and as CSV."""

from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from ivr import log, numbers
from ivr.flow.model import Flow
from ivr.funnel import asked, chart, goals, tables
from ivr.funnel.asked import Asked, BadQuestion
from ivr.funnel.reasons import reason
from ivr.funnel.told import RATES, Line, failures, funnel
from ivr.runtime import Runtime
from ivr.spreadsheet import as_csv
from ivr.store import counted, counts, watch
from ivr.store.count_tables import MEASURES
from ivr.web import entrance
from ivr.web.entrance import Form, Visitor, visitors_form, visitors_only
from ivr.web.guards import runtime

blueprint = Blueprint("dashboard", __name__, template_folder="templates")

MOST_LISTED = 100
SIMULATED = "~simulated"
_STATIC = Path(__file__).parent / "static"
# Nobody's secret: the login has them too.
_FILES = {
    "style.css": ((_STATIC / "dashboard.css").read_bytes(), "text/css"),
    "icon.svg": ((_STATIC / "icon.svg").read_bytes(), "image/svg+xml"),
}


@blueprint.app_template_filter("brand")
def shown_brand(brand: str) -> str:
    """A brand's id as people see it."""
    return f"{brand.removesuffix(SIMULATED)} (simulated)" if brand.endswith(SIMULATED) else brand


@blueprint.app_template_filter("many")
def shown_many(many: int | None) -> str:
    """How many, a dash where nobody can say."""
    return "-" if many is None else f"{many:,}"


@blueprint.errorhandler(SQLAlchemyError)
def not_now(error: SQLAlchemyError) -> Response:
    log.error("page_not_shown", error)
    return page("message.html", None, 503, title="Not now", words="The database cannot be reached; try again shortly.")


def page(template: str, visitor: Visitor | None, status: int = 200, **values: Any) -> Response:
    body = render_template(f"dashboard/{template}", visitor=visitor, **values)
    return Response(body, status, entrance.HEADERS, mimetype="text/html")


def table(name: str, rows: Any) -> Response:
    headers = {**entrance.HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(as_csv(rows), headers=headers, mimetype="text/csv")


def go(endpoint: str, **values: Any) -> Response:
    return Response(status=303, headers={**entrance.HEADERS, "Location": url_for(endpoint, **values)})


@blueprint.get("/dashboard/<any('style.css', 'icon.svg'):name>")
def file(name: str) -> Response:
    if not runtime().settings.dashboard_passwords:
        return entrance.nothing_here()
    content, kind = _FILES[name]
    headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, mimetype=kind)


@blueprint.get("/dashboard/login")
def login() -> Response:
    if not runtime().settings.dashboard_passwords:
        return entrance.nothing_here()
    return _login_page("", 200, _own_path(request.args.get("then", "")))


@blueprint.post("/dashboard/login")
def log_in() -> Response:
    if not runtime().settings.dashboard_passwords:
        return entrance.nothing_here()
    form = entrance.own_form()
    if isinstance(form, Response):
        return form
    then = _own_path(form.get("then", ""))
    visitor = entrance.enter(form)
    if isinstance(visitor, Visitor):
        target = then or url_for("dashboard.overview")
        return entrance.let_in(visitor, Response(status=303, headers={**entrance.HEADERS, "Location": target}))
    if visitor:
        answer = _login_page(f"Too many wrong passwords; try again in {visitor:.0f} seconds.", 429, then)
        answer.headers["Retry-After"] = f"{visitor:.0f}"
        return answer
    return _login_page("This is not the password.", 401, then)


log_in.guard = "dashboard"  # type: ignore[attr-defined]


@blueprint.post("/dashboard/logout")
@visitors_form
def log_out(visitor: Visitor, form: Form) -> Response:
    return entrance.let_out(go("dashboard.login"))


@blueprint.get("/dashboard")
@visitors_only
def overview(visitor: Visitor) -> Response:
    """The funnel of a period, over time and by one thing."""
    here = runtime()
    try:
        question = _asked(here)
    except BadQuestion as error:
        return page("message.html", visitor, 400, title="This cannot be asked", words=str(error))
    over_time = question if question.by in asked.PERIODS else question.told_by(_period_of(question))
    beside = question if question.by not in asked.PERIODS else None
    with here.database.reads() as tx:
        timed = funnel(tx, over_time)
        told = funnel(tx, beside) if beside else timed
        choices = _choices(tx, question)
        reasons = failures(tx, question)
        verdicts, goal = goals.of_flow(tx, _flow(here, question), question, here.now())
    return page(
        "overview.html",
        visitor,
        asked=question,
        given=request.args,
        told=told,
        timed=timed,
        steps=MEASURES,
        rate=_rate,
        choices=choices,
        by=asked.BY,
        spans=_SPANS,
        # Built as trees, which escape every label.
        counts_chart=Markup(chart.counts_chart(timed)),
        rate_chart=Markup(chart.rate_chart(timed, goal)),
        reasons=[(word, many, reason(word)) for word, many in reasons],
        goals=verdicts,
    )


@blueprint.get("/dashboard/funnel.csv")
@visitors_only
def overview_csv(visitor: Visitor) -> Response:
    here = runtime()
    try:
        question = _asked(here)
    except BadQuestion as error:
        return Response(f"{error}\n", 400, entrance.HEADERS, mimetype="text/plain")
    with here.database.reads() as tx:
        return table("funnel", tables.as_rows(funnel(tx, question)))


@blueprint.get("/dashboard/failures")
@visitors_only
def failed(visitor: Visitor) -> Response:
    """Why texts failed: the reasons, and the last of them, each with its call's story."""
    here = runtime()
    try:
        question = _asked(here, span="yesterday")
    except BadQuestion as error:
        return page("message.html", visitor, 400, title="This cannot be asked", words=str(error))
    with here.database.reads() as tx:
        reasons, lost = failures(tx, question), _lost(tx, question)
        choices, upto = _choices(tx, question), counts.upto(tx)
        totals = counted.read(tx, question.wanted, ())[()]
    return page(
        "failures.html",
        visitor,
        asked=question,
        given=request.args,
        reasons=[(word, many, reason(word)) for word, many in reasons],
        lost=[(one, numbers.masked(one.number), reason(one.reason)) for one in lost],
        total=Line("all", totals),
        rate=_rate,
        choices=choices,
        spans=_SPANS,
        upto=upto,
        most=MOST_LISTED,
    )


@blueprint.get("/dashboard/failures.csv")
@visitors_only
def failed_csv(visitor: Visitor) -> Response:
    """Numbers are masked here too."""
    here = runtime()
    try:
        question = _asked(here, span="yesterday")
    except BadQuestion as error:
        return Response(f"{error}\n", 400, entrance.HEADERS, mimetype="text/plain")
    with here.database.reads() as tx:
        lost = _lost(tx, question)
    rows = [
        [one.at, one.brand, one.branch, numbers.masked(one.number), one.state, one.reason, reason(one.reason)]
        for one in lost
    ]
    return table("failures", [["at", "brand", "branch", "number", "state", "reason", "what it means"], *rows])


@blueprint.get("/dashboard/reasons.csv")
@visitors_only
def reasons_csv(visitor: Visitor) -> Response:
    here = runtime()
    try:
        question = _asked(here, span="yesterday")
    except BadQuestion as error:
        return Response(f"{error}\n", 400, entrance.HEADERS, mimetype="text/plain")
    with here.database.reads() as tx:
        found = failures(tx, question)
    return table("reasons", [["reason", "failed", "what it means"], *([w, many, reason(w)] for w, many in found)])


_SPANS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "7 days",
    "28d": "28 days",
    "91d": "13 weeks",
    "365d": "A year",
}


def _asked(here: Runtime, span: str = "28d") -> Asked:
    # PostgreSQL knows no text with a zero in it.
    given = {name: value for name, each in request.args.items() if (value := each.replace("\0", ""))}
    if not {"span", "since", "until"} & set(given):
        given["span"] = span
    return asked.asked(given, zone_of(here, given.get("brand", "")), here.now(), by="branch")


def zone_of(here: Runtime, brand: str) -> ZoneInfo:
    """A brand's own days, or UTC over several."""
    chosen = here.brands.get(brand.removesuffix(SIMULATED))
    if chosen is None and len(here.brands) == 1 and not brand:
        chosen = next(iter(here.brands.values()))
    return ZoneInfo(chosen.flow.timezone if chosen else "UTC")


def _period_of(question: Asked) -> str:
    return "hour" if question.days <= 2 else "day" if question.days <= 62 else "week"


def _choices(tx: Any, question: Asked) -> dict[str, list[str]]:
    """What may be chosen, as far as it was counted in the period."""
    found = counted.choices(tx, question.wanted)
    return {name: [value for value in found[column] if value] for name, column in asked.ONLY.items()}


def _lost(tx: Any, question: Asked) -> list[watch.Lost]:
    return watch.lost(tx, question.since, question.until, question.only.get("brand", ""), MOST_LISTED)


def _flow(here: Runtime, question: Asked) -> Flow | None:
    """Of the one brand that is looked at."""
    chosen = here.brands.get(question.only.get("brand", "").removesuffix(SIMULATED))
    return chosen.flow if chosen else None


def _rate(line: Line, step: str) -> str:
    """A share and its interval, in a few characters."""
    rate = line.rate(step) if step in RATES else None
    return f"{rate.middle:.0%} ({rate.low:.0%} to {rate.high:.0%})" if rate else ""


def _login_page(words: str, status: int, then: str) -> Response:
    return page("login.html", None, status, words=words, then=then, named=entrance.named())


def _own_path(then: str) -> str:
    """Where to go after the login: to a page of ours, never elsewhere."""
    inside = then == "/dashboard" or then.startswith(("/dashboard?", "/dashboard/"))
    return then if inside and not set(then) & set("\\\r\n\t") else ""


def utc(moment: Any) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else "-"


blueprint.add_app_template_filter(utc, "utc")
