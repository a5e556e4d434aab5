"""The demo: one whole deflected call on a bare machine, then a sandbox to play with."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event as Signal

from ivr.sandbox.scene import Scene
from ivr.sandbox.town import town
from ivr.sandbox.transcript import Event, Transcript

SCENE = Scene(brand="acme", keys=("1", "1"), texts=("My bill is wrong",), answers=("Hello, I am looking at it.",))


def demo(
    flows_dir: Path,
    port: int,
    sandbox_port: int,
    show: Callable[[Event], None],
    tell: Callable[[str], None],
    once: bool,
) -> bool:
    """Play the call; whether every step of it happened. Unless `once`, serve on until interrupted."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        tell("A simulation: the server is real; Twilio, the phones and the people are not.")
        database, log = f"sqlite:///{place / 'ivr.db'}", place / "server.log"
        with town(flows_dir, database, log, port, sandbox_port, ahead=timedelta()) as here:
            call, transcript = here.play(SCENE, show)
            missing = _missing(transcript)
            for step in (*call.errors, *missing):
                tell(f"missing: {step}")
            if not once:
                tell(f"\nYour turn, in a browser: http://127.0.0.1:{sandbox_port}/ is a phone. Ctrl-C ends it.")
                Signal().wait()
        return not call.errors and not missing


def _missing(transcript: Transcript) -> list[str]:
    """The steps of a deflected call that the transcript does not show."""
    steps = {
        "the offer, heard": any("press 1" in words.lower() for words in transcript.said("ivr")),
        "the offer, accepted": transcript.said("caller") == ["presses 1", "presses 1"],
        "the greeting on the handset": len(set(transcript.said("text")) - set(SCENE.answers)) == 1,
        "the caller told about the text": any("2671" in words for words in transcript.said("ivr")),
        "the end of the call": transcript.said("call")[-1:] == ["ends"],
        "the consumer's text, taken": transcript.said("consumer") == list(SCENE.texts),
        "a conversation with the branch's skill": transcript.said("desk") == ["opens a conversation, skill 1234"],
        "the agent's answer on the handset": transcript.said("text")[1:] == list(SCENE.answers),
    }
    return [step for step, happened in steps.items() if not happened]
