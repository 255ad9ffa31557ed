"""Oakum as a hook of one repository: put where git or a manager of hooks takes it from, and taken out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import HookError
from .files import shown
from .husky import Husky, husky
from .lefthook import Lefthook, lefthook
from .place import SETTING, Place
from .plain import Folder, Report


def default_hooks(place: Place) -> tuple[str, ...]:
    """The hook that is meant where none is named."""
    return ("pre-push",) if place.work_tree else ("pre-receive",)


def install(place: Place, names: Sequence[str], program: str, environment: Mapping[str, str]) -> list[Report]:
    """Have hooks call the oakum at a path. HookError where that cannot be done, with nothing changed."""
    return [_installed(place, name, program, environment) for name in names]


def uninstall(place: Place, names: Sequence[str], environment: Mapping[str, str]) -> list[Report]:
    """Take oakum out of hooks, wherever it is in one, and put back what was there."""
    return [_taken_out(place, name, environment) for name in names]


def state(place: Place, names: Sequence[str], environment: Mapping[str, str]) -> list[Report]:
    """Of each hook, whether git calls oakum."""
    return [_state(place, name, environment) for name in names]


def _installed(place: Place, name: str, program: str, environment: Mapping[str, str]) -> Report:
    folder = Folder(place.hooks, environment)
    there = folder.state(name)
    if place.of_the_user and there:
        return _state(place, name, environment)
    if place.of_the_user:
        raise HookError(
            f"{SETTING} is {shown(place.setting)} ({shown(place.origin)}): git takes the hooks of all your "
            "repositories from there. Install oakum for all of them: oakum hook install --global. Or give this one its "
            f"own: git -C {shown(place.top)} config --local {SETTING} {shown(place.own_hooks)}"
        )
    manager = None if there else _manager(place, folder)
    if manager:
        return manager.install(name, program) or _state(place, name, environment)
    place.require(place.hooks)
    folder.install(name, program)
    return _state(place, name, environment)


def _manager(place: Place, folder: Folder) -> Husky | Lefthook | None:
    return husky(place, folder) or lefthook(place, folder)


def _elsewhere(place: Place, environment: Mapping[str, str]) -> Folder | None:
    """The repository's own folder of hooks, where a setting has git take them from another."""
    return None if place.usual else Folder(place.own_hooks, environment)


def _taken_out(place: Place, name: str, environment: Mapping[str, str]) -> Report:
    folder = Folder(place.hooks, environment)
    inside = place.holds(place.hooks)
    holders = [_manager(place, folder), _elsewhere(place, environment), folder if inside else None]
    reports = [report for holder in holders if holder and (report := holder.uninstall(name))]
    if not inside and folder.state(name):
        why = (
            "it is installed for all your repositories: oakum hook uninstall --global"
            if place.of_the_user
            else f"not taken out: {shown(folder.file(name))} is outside of the repository"
        )
        reports.append(Report(name, False, (why,)))
    lines = tuple(line for report in reports for line in report.lines)
    return Report(name, all(report.ok for report in reports), lines or ("not installed",))


def _state(place: Place, name: str, environment: Mapping[str, str]) -> Report:
    folder = Folder(place.hooks, environment)
    for holder in (folder, _manager(place, folder)):
        found = holder.state(name) if holder else None
        if found and place.of_the_user:
            return replace(found, lines=(*found.lines, f"for all your repositories: {SETTING} ({shown(place.origin)})"))
        if found and holder is folder and place.shared:
            return replace(found, lines=(*found.lines, "keep it out of git: it names the oakum of this machine"))
        if found:
            return found
    other = _elsewhere(place, environment)
    found = other.state(name) if other else None
    if not found:
        return Report(name, False, ("not installed",))
    why = f"git passes over it, as {SETTING} is {shown(place.setting)} ({shown(place.origin)}): oakum hook install"
    return Report(name, False, ("NOT in force", *found.lines[1:], why))
