"""kingfisher: the baseline that `--manage-baseline` writes.

Looked at: 2.14.0. YAML in two versions: `ExactFindings.matches` with `filepath` and `linenum`, and `repositories`, each
with an `id`, and `findings` that have `path`, `line` and `rule_id`. Its fingerprints hash the value together with where
it stands: nothing can be told from them. Source: https://github.com/mongodb/kingfisher/blob/main/docs/BASELINE.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import ForeignError
from .entries import NOT_SO, Entry, Known, Unmapped, line_of, records, shown, text_of

DEEPEST = 16
"""Levels of a document."""


def baseline(name: str, content: bytes) -> Iterator[Entry]:
    """The findings of a baseline of either version. Those of another repository than this one are told apart later."""
    document = _document(name, content)
    found = False
    for old in records(document.get("ExactFindings")):
        found = True
        for number, one in enumerate(records(old.get("matches")), 1):
            yield _known(name, number, one, text_of(one, "filepath").rstrip("/"), line_of(one, "linenum"), "")
    for repository in records(document.get("repositories")):
        found = True
        id_ = text_of(repository, "id")
        for number, one in enumerate(records(repository.get("findings")), 1):
            yield _known(name, number, one, text_of(one, "path"), line_of(one, "line"), id_)
    if not found:
        raise ForeignError(f"{name}: is not a baseline of kingfisher: that has `repositories` or `ExactFindings`")


def _known(name: str, number: int, one: dict[str, Any], path: str, line: int, repository: str) -> Entry:
    rule = text_of(one, "rule_id")
    if not path or not line:
        return Unmapped(f"{repository or 'ExactFindings'}: finding {number}", NOT_SO)
    return Known(
        f"{path}:{line}" + (f" ({rule})" if rule else ""),
        f"imported from {name}" + (f": rule {shown(rule)}" if rule else ""),
        path=path.encode("utf-8", "surrogatepass"),
        line=line,
        rule=rule,
        repository=repository.removesuffix("/").removesuffix("/.git"),
    )


def _document(name: str, content: bytes) -> dict[str, Any]:
    """A document in which every scalar is a text; one with aliases, which can stand for any amount, is refused."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    depth = 0
    try:
        for event in yaml.parse(content, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if getattr(event, "anchor", None) is not None or depth > DEEPEST:
                raise ForeignError(f"{name}: YAML with anchors, or of more than {DEEPEST} levels, is not read")
        document = yaml.load(content, Loader=loader)  # noqa: S506  a base loader makes texts, lists and tables alone
    except yaml.YAMLError as e:
        raise ForeignError(f"{name}: is not valid YAML: {shown(str(e).replace(chr(10), ' '))}") from e
    return document if isinstance(document, dict) else {}
