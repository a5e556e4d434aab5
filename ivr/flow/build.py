"""A typed file becomes the Flow: defaults filled in, inherited settings resolved, words rendered."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ivr import numbers
from ivr.flow import desk_shapes, promise_shapes, promised, schema, shapes
from ivr.flow.aims_shapes import costs_of
from ivr.flow.hours import Hours
from ivr.flow.identify_shapes import identify_of
from ivr.flow.model import (
    Branch,
    Desk,
    Exit,
    Flow,
    LivePersonDesk,
    Menu,
    NativeDesk,
    Recording,
    Sender,
    Spoken,
    ToGoodbye,
    ToMenu,
    ToNumber,
    ToQueue,
    ToSip,
    ToStudio,
    ToUrl,
    WebhookDesk,
    WhatsApp,
)
from ivr.flow.opening_times import Week
from ivr.flow.promise_shapes import Closed
from ivr.flow.push_shapes import consumers_of, push_of
from ivr.flow.shapes import Play
from ivr.flow.words import PHRASES, words

REPLY_WINDOW = 30 * 86400  # seconds


def flow_of(brand_id: str, brand: schema.Brand) -> Flow:
    """The frozen flow of a brand whose file has no findings. Raises TemplateFault when a template fails."""
    named = {"brand": brand.name}
    known = {**named, **_agent_hours(brand.hours)}
    menus = {name: _menu(name, menu, brand, named) for name, menu in brand.menus.items()}
    if brand.menu:
        menus["menu"] = _menu("menu", brand.menu, brand, named)
    return Flow(
        id=brand_id,
        name=brand.name,
        language=brand.language,
        voice=brand.voice,
        timezone=brand.timezone,
        numbers=brand.numbers,
        sender=_sender(brand.sender),
        menus=menus,
        branches={name: _branch(name, branch, brand, known) for name, branch in brand.branches.items()},
        phrases={name: _spoken(brand.phrases.get(name, default), named) for name, default in PHRASES.items()},
        desk=_desk(brand.desk) if brand.desk else None,
        context_line=brand.desk is None or brand.desk.context_line,
        skill=brand.skill,
        reply_window=brand.reply_window.seconds if brand.reply_window else REPLY_WINDOW,
        hours=_hours(brand.hours, brand.timezone) if brand.hours else None,
        expect=promised.of_brand(brand, known),
        identify=identify_of(brand.identify, known, brand.language),
        goal=brand.goal,
        costs=costs_of(brand.costs),
        push=push_of(brand.push, brand.name),
        consumers=consumers_of(brand.consumers),
        lookup=brand.lookup,
        messenger=brand.messenger.page if brand.messenger else None,
    )


def _sender(sender: schema.Sender) -> Sender:
    whatsapp = sender.whatsapp
    return Sender(
        sender.sms,
        sender.number_format,
        WhatsApp(f"whatsapp:{whatsapp.number}", whatsapp.template) if whatsapp else None,
        sender.rcs.service if sender.rcs else None,
    )


def _menu(name: str, menu: schema.Menu, brand: schema.Brand, known: Mapping[str, str]) -> Menu:
    fallback = menu.fallback or brand.fallback
    return Menu(
        name=name,
        say=_spoken(menu.say, known),
        press=menu.press,
        otherwise=_exit(menu.otherwise, known),
        fallback=_exit(fallback, known) if fallback else None,
        tries=_inherited("tries", 2, menu, brand),
        wait=_seconds("wait", 5, menu, brand),
    )


def _branch(name: str, branch: schema.Branch, brand: schema.Brand, of_brand: Mapping[str, str]) -> Branch:
    known = {**of_brand, **_agent_hours(branch.hours), "branch": name}
    if branch.sla:
        known["sla"] = branch.sla.spoken
    accept = _inherited("accept", "1", branch, brand)
    template = brand.sender.whatsapp.variables if brand.sender.whatsapp else {}
    warns = branch.warn_before or brand.warn_before
    inherited = _exit(brand.fallback, of_brand) if brand.fallback else None
    built = Branch(
        name=name,
        offer=_spoken(branch.offer, known),
        greeting=words(branch.greeting, known),
        otherwise=_exit(branch.otherwise, known),
        fallback=_exit(branch.fallback, known) if branch.fallback else inherited,
        accept=accept if isinstance(accept, str) else next(iter(accept)),
        tries=_inherited("tries", 2, branch, brand),
        wait=_seconds("wait", 5, branch, brand),
        confirm=_seconds("confirm", 10, branch, brand),
        other_number=_inherited("other_number", None, branch, brand),
        skill=branch.skill or brand.skill,
        sla=branch.sla,
        regions=tuple(branch.regions or brand.regions or _own_regions(brand)),
        expect=promised.expect(branch, brand, known),
        warn_before=warns.seconds if warns else None,
        follow_up=promised.follow_up(branch, brand, known, of_brand),
        identify=identify_of(
            branch.identify or brand.identify, known if branch.identify else of_brand, brand.language, branch.sla
        ),
        channels=tuple(dict.fromkeys(branch.channels or brand.channels or ("sms",))),
        choices={} if isinstance(accept, str) else accept,
        variables={variable: words(written, known) for variable, written in template.items()},
        share=_inherited("share", 1.0, branch, brand),
        goal=branch.goal,
    )
    closed, hours = branch.closed or brand.closed, branch.hours or brand.hours
    if hours is None:
        return built
    as_closed = _closed(built, closed, known if branch.closed else of_brand) if closed else None
    return replace(built, hours=_hours(hours, brand.timezone), closed=as_closed)


def _closed(branch: Branch, closed: Closed, known: Mapping[str, str]) -> Branch:
    return replace(
        branch,
        offer=_spoken(closed.offer, known) if closed.offer else branch.offer,
        greeting=words(closed.greeting, known) if closed.greeting else branch.greeting,
        otherwise=_exit(closed.otherwise, known) if closed.otherwise else branch.otherwise,
    )


def _agent_hours(hours: promise_shapes.Hours | Week | None) -> Mapping[str, str]:
    week = hours if isinstance(hours, Week | None) else hours.open
    return {"agent_hours": week.written} if week else {}


def _hours(hours: promise_shapes.Hours | Week, zone: str) -> Hours:
    if isinstance(hours, Week):
        return Hours(zone, hours.days)
    dates = {day: its.spans for day, its in hours.dates.items()}
    return Hours(zone, hours.open.days, tuple(hours.holidays), dates)


def _inherited(name: str, unsaid: Any, *holders: schema.Inherited) -> Any:
    return next((value for holder in holders if (value := getattr(holder, name)) is not None), unsaid)


def _seconds(name: str, unsaid: int, *holders: schema.Inherited) -> int:
    said = _inherited(name, None, *holders)
    return said.seconds if said else unsaid


def _own_regions(brand: schema.Brand) -> list[str]:
    """Whose numbers may be texted when nothing is said: the sender's region, else the dialled numbers', else US."""
    sender = numbers.read(brand.sender.sms)
    if sender:
        return [sender.region]
    dialled = {number.region for text in brand.numbers if (number := numbers.read(text)) and number.region}
    return sorted(dialled) or ["US"]


def _desk(desk: desk_shapes.Desk) -> Desk:
    if desk.liveperson:
        return LivePersonDesk(desk.liveperson.campaign, desk.liveperson.engagement)
    if desk.webhook:
        return WebhookDesk(desk.webhook.url, desk.webhook.secret_env, desk.webhook.allow_private)
    return NativeDesk()


def _spoken(value: str | Play, known: Mapping[str, str]) -> Spoken:
    return Recording(value.play) if isinstance(value, Play) else words(" ".join(value.split()), known)


def _exit(value: shapes.Exit, known: Mapping[str, str]) -> Exit:
    if value.queue:
        return ToQueue(value.queue)
    if value.dial:
        return ToSip(value.dial) if value.dial.startswith("sip") else ToNumber(value.dial)
    if value.redirect:
        return ToUrl(value.redirect)
    if value.studio:
        return ToStudio()
    if value.menu:
        return ToMenu(value.menu)
    assert value.say is not None  # exactly one is set, the schema holds it
    return ToGoodbye(_spoken(value.say, known))
