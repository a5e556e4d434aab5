"""The commands `doctor` and `numbers`: what they say, what they ask, how they end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ivr import config
from ivr.clients.account import TwilioAccount
from ivr.clients.failure import SendError
from ivr.deployment.doctor import examine
from ivr.deployment.environment import public_url
from ivr.deployment.holdings import Holdings, account_of, held, why
from ivr.deployment.listing import listed
from ivr.deployment.pointing import CannotRestore, Change, Plan, carried_out, plan, restoring
from ivr.flow.load import load_directory

GOOD, FAILED, USAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Talk:
    """How a command talks with its operator."""

    say: Callable[[str], None]  # the result
    tell: Callable[[str], None]  # everything else
    ask: Callable[[str], bool] | None  # a question with yes or no; None when nobody is there to answer


def doctor(environ: Mapping[str, str], talk: Talk) -> int:
    counted = {"good": 0, "wrong": 0, "cannot tell": 0}
    for line in examine(environ):
        talk.say(str(line))
        counted[line.state] += 1
    talk.tell(", ".join(f"{count} {state}" for state, count in counted.items()))
    return FAILED if counted["wrong"] else GOOD


def list_numbers(environ: Mapping[str, str], talk: Talk) -> int:
    settings = _settings_to_list(environ)
    holdings = _held(account_of(settings), talk)
    if holdings is None:
        return FAILED
    if not settings.public_url:
        talk.tell("PUBLIC_URL is not set; whether calls and texts come here is left out.")
    for line in listed(settings, load_directory(settings.flows_dir).flows, holdings):
        talk.say(line)
    return GOOD


def _settings_to_list(environ: Mapping[str, str]) -> config.Settings:
    """The settings; PUBLIC_URL, which the token asks for because of webhooks, may be missing. Raises SettingsError."""
    if environ.get("PUBLIC_URL", "").strip():
        return config.read(environ)
    return replace(config.read({**environ, "PUBLIC_URL": "https://unset.invalid"}), public_url="")


def point(environ: Mapping[str, str], only: Sequence[str], yes: bool, talk: Talk) -> int:
    """Point what the brands claim, or `only` these numbers, at PUBLIC_URL."""
    settings = config.read(environ)
    loaded = load_directory(settings.flows_dir)
    if loaded.errors:  # a brand that is not read claims nothing, and would be left out in silence
        talk.tell("The flows have errors; nothing is changed. See: python -m ivr check")
        return FAILED
    account = account_of(settings)
    holdings = _held(account, talk)
    if holdings is None:
        return FAILED
    for line in public_url(settings):
        if line.state == "wrong":
            talk.tell(str(line))
    return _carry_out(account, plan(settings, loaded.flows, holdings, list(only)), yes, talk)


def restore(environ: Mapping[str, str], given: str, yes: bool, talk: Talk) -> int:
    """Bring one number or messaging service back to what `point` printed."""
    account = account_of(config.read(environ))
    try:
        change = restoring(account, given)
    except CannotRestore as error:
        talk.tell(str(error))
        return USAGE
    except SendError as error:
        talk.tell(f"Nothing is changed: {why(error)}.")
        return FAILED
    return _carry_out(account, Plan((change,) if change else (), ()), yes, talk)


def _held(account: TwilioAccount, talk: Talk) -> Holdings | None:
    try:
        holdings = held(account)
    except SendError as error:
        talk.tell(f"The account's numbers cannot be listed: {why(error)}. python -m ivr doctor says more.")
        return None
    if holdings.services_unknown:
        talk.tell(f"Messaging services are not looked at: {holdings.services_unknown}.")
    return holdings


def _carry_out(account: TwilioAccount, planned: Plan, yes: bool, talk: Talk) -> int:
    for trouble in planned.troubles:
        talk.tell(trouble)
    for change in planned.changes:
        talk.say("\n".join([change.label, *change.lines]))
    ended = FAILED if planned.troubles else GOOD
    if not planned.changes:
        talk.tell("Nothing to change.")
        return ended
    if not yes and talk.ask is None:
        talk.tell("Nothing is changed: there is no terminal to ask at. To change it: --yes")
        return USAGE
    if not yes and talk.ask is not None and not talk.ask(f"Change {len(planned.changes)}? [y/N] "):
        talk.tell("Nothing is changed.")
        return FAILED
    failures = [not _carried_out(account, change, talk) for change in planned.changes]
    return FAILED if any(failures) else ended


def _carried_out(account: TwilioAccount, change: Change, talk: Talk) -> bool:
    talk.say(f"{change.label}: to undo it,\n{change.undo}")  # said first: a change that cannot be undone is not begun
    try:
        kept = carried_out(account, change)
    except SendError as error:
        unclear = "; it may have been done all the same, see python -m ivr numbers list" if error.unclear else ""
        talk.tell(f"{change.label}: not changed: {why(error)}{unclear}")
        return False
    if kept:
        talk.tell(f"{change.label}: Twilio took it and kept something: {kept}; change that in the Console")
        return False
    talk.say(f"{change.label}: changed")
    return True
