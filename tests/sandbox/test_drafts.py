"""A brand's file as a person edits it: what the next call uses, and when the file itself is written."""

from pathlib import Path

import pytest

from ivr.sandbox.drafts import Drafts
from ivr.sandbox.scene import TownError
from tests.conftest import FLOWS


class Restarts(list[Path]):
    """Where the server was told to read; `faults` of them fail."""

    faults = 0

    def __call__(self, directory: Path) -> None:
        self.append(directory)
        if self.faults:
            self.faults -= 1
            raise TownError("The server does not start.")


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    directory = tmp_path / "flows"
    directory.mkdir()
    for name in ("acme.yaml", "corner-bakery.yaml"):
        (directory / name).write_bytes((FLOWS / name).read_bytes())
    return directory


@pytest.fixture
def restarts() -> Restarts:
    return Restarts()


@pytest.fixture
def drafts(flows: Path, tmp_path: Path, restarts: Restarts) -> Drafts:
    return Drafts(flows, tmp_path / "copies", restarts)


def renamed(drafts: Drafts) -> str:
    return str(drafts.shown("acme")["text"]).replace("name: Acme Air", "name: Acme Rail")


def test_the_next_call_uses_what_was_written_and_the_file_stays(
    drafts: Drafts, flows: Path, restarts: Restarts
) -> None:
    before = (flows / "acme.yaml").read_bytes()
    assert not drafts.use()
    assert not drafts.write("acme", renamed(drafts))["saved"]
    assert drafts.use()
    assert not drafts.use()
    assert drafts.flows["acme"].name == "Acme Rail"
    assert len(restarts) == 1
    assert "Acme Rail" in (restarts[0] / "acme.yaml").read_text(encoding="utf-8")
    assert (flows / "acme.yaml").read_bytes() == before


def test_a_file_with_an_error_is_left_out_and_the_others_are_used(drafts: Drafts, restarts: Restarts) -> None:
    (found,) = drafts.write("acme", renamed(drafts).replace("skill:", "skil:", 1))["findings"]
    assert found == {"line": 31, "column": 5, "severity": "error", "message": "skil: unknown key; did you mean skill?"}
    assert not drafts.use()
    bakery = str(drafts.shown("corner-bakery")["text"])
    drafts.write("corner-bakery", bakery.replace("Corner Bakery\n", "Corner Books\n", 1))
    assert drafts.use()
    assert (drafts.flows["acme"].name, drafts.flows["corner-bakery"].name) == ("Acme Air", "Corner Books")
    with pytest.raises(TownError, match="has errors"):
        drafts.save("acme")


def test_a_number_of_another_brand_is_found_without_a_path_of_the_copy(drafts: Drafts, tmp_path: Path) -> None:
    bakery = str(drafts.shown("corner-bakery")["text"]).replace('"+1 415 555 0120"', '"+1 415 555 0100"')
    (found,) = drafts.write("corner-bakery", bakery)["findings"]
    assert "acme.yaml:9" in found["message"]
    assert str(tmp_path) not in found["message"]


def test_saving_writes_the_file_and_keeps_its_mode_and_ends_of_lines(
    flows: Path, tmp_path: Path, restarts: Restarts
) -> None:
    file = flows / "acme.yaml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    file.chmod(0o640)
    drafts = Drafts(flows, tmp_path / "copies", restarts)
    as_a_browser = str(drafts.shown("acme")["text"]).replace("\r\n", "\n")
    assert drafts.write("acme", as_a_browser)["saved"]
    drafts.write("acme", as_a_browser.replace("Acme Air", "Acme Rail", 1))
    assert drafts.save("acme")["saved"]
    assert b"name: Acme Rail\r\n" in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in flows.iterdir()) == ["acme.yaml", "corner-bakery.yaml"]


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(drafts: Drafts, flows: Path) -> None:
    file = flows / "acme.yaml"
    drafts.write("acme", renamed(drafts))
    theirs = file.read_text(encoding="utf-8") + "# theirs\n"
    file.write_text(theirs, encoding="utf-8")
    with pytest.raises(TownError, match="changed by somebody else"):
        drafts.save("acme")
    assert drafts.undo("acme")["text"] == theirs
    assert file.read_text(encoding="utf-8") == theirs


@pytest.mark.parametrize("brand", ["nobody", "../acme", "", "acme.yaml"])
def test_no_other_file_is_read_or_written(drafts: Drafts, brand: str) -> None:
    for act in (drafts.shown, drafts.save, drafts.undo):
        with pytest.raises(TownError, match="no such brand"):
            act(brand)


def test_a_server_that_did_not_start_is_started_again(drafts: Drafts, restarts: Restarts) -> None:
    restarts.faults = 1
    drafts.write("acme", renamed(drafts))
    with pytest.raises(TownError):
        drafts.use()
    drafts.undo("acme")
    assert drafts.use()
    assert drafts.flows["acme"].name == "Acme Air"
    assert not drafts.use()
