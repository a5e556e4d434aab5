"""The secret key beside a SQLite file: one for all who start at once, for their eyes alone, and never replaced."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ivr.sandbox.town import ROOT
from ivr.secret_key import NoSecretKey, kept_beside


def test_a_key_is_made_once_for_the_operator_s_eyes_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key = kept_beside(tmp_path / "ivr.db")
    finally:
        os.umask(before)
    place = tmp_path / "ivr.db.key"
    assert (len(key), kept_beside(tmp_path / "ivr.db")) == (64, key)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [place], "no draft is left"
    assert kept_beside(tmp_path / "other.db") != key


def test_threads_that_start_at_once_agree(tmp_path: Path) -> None:
    for number in range(50):
        together = threading.Barrier(4)
        keys: list[str] = []

        def start(database: Path, together: threading.Barrier = together, keys: list[str] = keys) -> None:
            together.wait(10)
            keys.append(kept_beside(database))

        threads = [threading.Thread(target=start, args=(tmp_path / f"{number}.db",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(keys) == 4
        assert len(set(keys)) == 1


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ivr.secret_key import kept_beside\n"
        "print('here', flush=True); sys.stdin.readline(); print(kept_beside(Path(sys.argv[1])))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "ivr.db")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert keys == {kept_beside(tmp_path / "ivr.db")}


@pytest.mark.parametrize("found", [b"", b"\n", b"too short", b"\xff" * 64], ids=["empty", "blank", "short", "no text"])
def test_what_is_no_key_is_neither_used_nor_replaced(tmp_path: Path, found: bytes) -> None:
    (tmp_path / "ivr.db.key").write_bytes(found)
    with pytest.raises(NoSecretKey, match="or set SECRET_KEY"):
        kept_beside(tmp_path / "ivr.db")
    assert (tmp_path / "ivr.db.key").read_bytes() == found


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoSecretKey, match="cannot be kept there"):
        kept_beside(tmp_path / "file" / "ivr.db")
