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


def baseline(name: str, content: bytes) -> Iterator[Entry]:
    """The findings of a baseline of either version. Those of another repository than this one are told apart later."""
    document = _document(name, content)
    if not document.keys() & {"ExactFindings", "repositories"}:
        raise ForeignError(f"{name}: is not a baseline of kingfisher: that has `repositories` or `ExactFindings`")
    for old in records(document.get("ExactFindings")):
        for number, one in enumerate(records(old.get("matches")), 1):
            yield _known(name, number, one, text_of(one, "filepath").rstrip("/"), line_of(one, "linenum"), "")
    for repository in records(document.get("repositories")):
        id_ = text_of(repository, "id")
        for number, one in enumerate(records(repository.get("findings")), 1):
            yield _known(name, number, one, text_of(one, "path"), line_of(one, "line"), id_)


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
    """A document in which every scalar is a text."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        events = yaml.parse(content, Loader=loader) if b"&" in content else ()
        if any(getattr(event, "anchor", None) is not None for event in events):
            raise ForeignError(f"{name}: YAML with anchors and aliases is not read: they can stand for any amount")
        document = yaml.load(content, Loader=loader)  # noqa: S506  a base loader makes texts, lists and tables alone
    except (yaml.YAMLError, RecursionError) as e:
        raise ForeignError(f"{name}: is not valid YAML: {shown(str(e).replace(chr(10), ' '))}") from e
    return document if isinstance(document, dict) else {}
