"""Native: a branch as Studio's own widgets, which offer and text without this server; and what is lost by that."""

from ivr.flow.model import Branch, Expect
from ivr.studio.carried import path_of
from ivr.studio.exits import GOODBYE, Exits, named
from ivr.studio.questions import Question, ask
from ivr.studio.sayings import CALLER, text

_PAUSE = "ww"  # each w is half a second of silence among digits that are played


def put(exits: Exits, branch: Branch) -> None:
    """The states of a branch, the last first: each has to know what follows."""
    leave = exits.put(branch)
    told = _told(exits, branch, leave)
    failed = exits.say(named("untold", branch.name), "cannot_text", leave)
    body = text(branch.greeting, exits.losses, (*path_of(branch), "greeting"))
    sender = {"from": exits.flow.sender.address, "to": CALLER, "body": body}
    name = named("text", branch.name)
    exits.canvas.put(name, "send-message", {"sent": told, "failed": failed}, **sender, message_type="custom")
    offer = Question(branch, branch.offer, (*path_of(branch), "offer"), {branch.accept: name}, leave, leave)
    ask(exits.flow, exits.canvas, exits.losses, offer)
    _name_losses(exits, branch)


def _told(exits: Exits, branch: Branch, leave: str) -> str:
    """After the text: the pause, and the question whether it arrived, which Studio has to ask everybody."""
    flow, canvas = exits.flow, exits.canvas
    goodbye = exits.say(GOODBYE, "goodbye")
    arrived = Question(
        branch,
        flow.phrases["not_arrived"],
        ("phrases", "not_arrived"),
        {branch.accept: leave},
        silent=goodbye,
        wrong=leave,
        prefix="late_",
    )
    asked = ask(flow, canvas, exits.losses, arrived)
    pause = named("pause", branch.name)
    canvas.put(pause, "say-play", {"audioComplete": asked}, digits=_PAUSE * branch.confirm, loop=1)
    return exits.say(named("told", branch.name), "sent", pause)


def _channels_lost(branch: Branch) -> dict[str, str]:
    lost = {}
    if branch.choices:
        others = [f"{key} ({channel})" for key, channel in branch.choices.items() if key != branch.accept]
        wrong = f"; wrong ones here: {', '.join(others)}" if others else ""
        lost["accept"] = f"the key {branch.accept} sends a text{wrong}"
    if branch.channels != ("sms",):
        lost["channels"] = "Studio sends a text alone, and nothing follows one that failed"
    return lost


def _name_losses(exits: Exits, branch: Branch) -> None:
    path, flow = path_of(branch), exits.flow
    lost = {
        "regions": "Studio texts whoever calls; no other number is asked for where that fails",
        "confirm": "Studio learns that Twilio took the text, not that it arrived; everybody is asked whether it did",
    }
    lost |= _channels_lost(branch)
    if branch.other_number:
        lost["other_number"] = (
            f"the key {branch.other_number} is a wrong one here; Studio texts the caller's number alone"
        )
    if branch.hours:
        lost["hours"] = "Studio is told no opening hours here; it is open at any time"
    if branch.expect != Expect():
        lost["expect"] = "nobody is told here what happens next; Studio sends the greeting alone"
    if branch.follow_up:
        lost["follow_up"] = "Studio sends no second text"
    if branch.identify:
        lost["identify"] = "nobody is asked here who they are"
    if branch.skill and flow.desk:
        lost["skill"] = "no desk is told whose text this was"
    for key, message in lost.items():
        exits.losses.add((*path, key), message)
    if flow.desk:
        exits.losses.add(
            ("desk",), "what consumers write goes where the sender's texts lead; this flow has no part in it"
        )
    if flow.sender.address.startswith("MG"):
        exits.losses.add(("sender", "sms"), "a messaging service is written as the widget's `from`; try it once")
