"""The brand's file: what a pull found, as the YAML that a person would begin with."""

from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes what stands twice out twice: brands' files have no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


_ORDER = ("name", "timezone", "language", "voice", "numbers", "sender", "desk")


def written(brand: Mapping[str, Any], heading: str) -> str:
    """`heading`: a comment of one line."""
    ordered = {**{key: brand[key] for key in _ORDER if key in brand}, **brand}
    text = yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# yaml-language-server: $schema=schema.json\n# {' '.join(heading.split())}\n{text}"
