"""A bar on stderr that shows how much of a file is read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def bar(path: Path) -> Iterator[Callable[[int], None]]:
    """Where stderr is a terminal alone."""
    console = Console(stderr=True)
    shown = (TextColumn("reading"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*shown, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=path.stat().st_size)
        yield lambda read: progress.update(task, completed=read)
