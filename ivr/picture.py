"""A picture as a file: DOT text drawn by Graphviz, where that is installed."""

import subprocess

DRAWS_WITHIN = 60.0  # seconds


class NoPicture(Exception):
    """Nothing was drawn; one clear line says why."""


def svg(dot: str) -> bytes:
    """The SVG of a DOT text. Raises NoPicture."""
    try:
        drawn = subprocess.run(
            ["dot", "-Tsvg"], input=dot.encode(), capture_output=True, timeout=DRAWS_WITHIN, check=True
        )
    except FileNotFoundError:
        raise NoPicture(
            "dot is not installed, which draws the SVG; install Graphviz, or leave out --svg for Mermaid text."
        ) from None
    except subprocess.TimeoutExpired:
        raise NoPicture(f"dot did not finish within {DRAWS_WITHIN:.0f} s; leave out --svg for Mermaid text.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise NoPicture(f"dot failed: {said or f'exit code {error.returncode}'}") from None
    return drawn.stdout
