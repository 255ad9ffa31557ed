"""Figures for Prometheus, read by the rules of its text format (version 0.0.4)."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from kept_stores import failed, found, night, opened, remote, searched, sweep
from oakum.scanner.report import metrics
from oakum.scanner.swept import News, Unlisted
from sweep_news import HOSTILE

NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
VALUE = r"[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?)"
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ({VALUE})")

Metrics = dict[str, dict[str, float]]


def read(text: str) -> Metrics:
    """Each metric's samples by their labels. AssertionError for what Prometheus does not take: a metric has its help
    and type before its samples, all of it stands together, and no sample twice."""
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    out: Metrics = {}
    helped, current = "", ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            helped, about = line.removeprefix("# HELP ").split(" ", 1)
            assert helped not in out, f"{helped} stands in two places"
            assert about.endswith(".")
            assert not re.search(r"\\(?![\\n])", about)
        elif line.startswith("# TYPE "):
            current, kind = line.removeprefix("# TYPE ").split(" ")
            assert (current, kind) == (helped, "gauge")
            assert re.fullmatch("oakum_[a-z_]+", current)
            out[current] = {}
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            name, labels, value = sample.groups()
            assert name == current, "a sample stands under its own metric"
            assert (labels or "") not in out[name], "a sample stands there once"
            out[name][labels or ""] = float(value)
    assert all(out.values()), "a metric has a sample"
    return out


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[News, Metrics]:
    """The second sweep of a small organization, and its metrics."""
    web, shop, gone = remote("acme/web"), remote("acme/shop"), remote("acme/gone")
    with closing(opened(tmp_path_factory.mktemp("metrics") / "sweeps.db")) as store:
        sweep(store, 1, searched(web, found("one", band="critical"), found("two")), searched(shop))
        news = sweep(
            store,
            2,
            searched(web, found("one", band="critical"), found("two", reach="history"), found("three", band="low")),
            searched(shop, found("one")),
            failed(gone, HOSTILE),
            hooks=["slack:NEWS"],
            unlisted=[Unlisted("github:acme", HOSTILE)],
        )
        return news, read("".join(metrics.render(news, store.status())))


def test_all_of_them(told: tuple[News, Metrics]) -> None:
    """Whole: what the sweep did, what it brought, what the store holds, what became of messages."""
    began = night(2).timestamp()
    assert told[1] == {
        "oakum_sweep_start_timestamp_seconds": {"": began},
        "oakum_sweep_end_timestamp_seconds": {"": began + 3600},
        "oakum_sweep_duration_seconds": {"": 3600},
        "oakum_sweep_complete": {"": 0},
        "oakum_sweep_repositories": {
            'ending="searched"': 2,
            'ending="unchanged"': 0,
            'ending="failed"': 1,
        },
        "oakum_sweep_unlisted_parts": {"": 1},
        "oakum_sweep_clone_bytes": {"": 200},
        "oakum_sweep_blobs": {"": 20},
        "oakum_sweep_news": {
            'change="new"': 1,
            'change="reopened"': 0,
            'change="worse"': 0,
            'change="spread"': 1,
            'change="fixed"': 1,
            'change="revoked"': 0,
        },
        "oakum_findings": {
            'state="open"': 2,
            'state="reopened"': 0,
            'state="fixed in head"': 1,
            'state="removed"': 0,
            'state="not reported"': 0,
            'state="revoked"': 0,
            'state="accepted"': 0,
            'state="false positive"': 0,
        },
        "oakum_findings_counting": {'band="critical"': 1, 'band="high"': 1, 'band="medium"': 0, 'band="low"': 1},
        "oakum_repositories_failing": {"": 1},
        "oakum_deliveries": {
            'status="waiting"': 1,
            'status="may have arrived"': 0,
            'status="given up"': 0,
            'status="sent"': 0,
        },
    }


def test_series_stay_the_same(told: tuple[News, Metrics], tmp_path: Path) -> None:
    """A store without findings has the same series, so that no rate begins in mid-air."""
    with closing(opened(tmp_path / "sweeps.db")) as store:
        news = sweep(store, 1)
        empty = read("".join(metrics.render(news, store.status())))
    assert {name: set(samples) for name, samples in empty.items()} == {n: set(s) for n, s in told[1].items()}
    assert empty["oakum_sweep_complete"] == {"": 1}


@pytest.mark.parametrize("number", [0, 1, 10**9, 2**53, 10**15 + 1, 10**18])
def test_large_figures(told: tuple[News, Metrics], tmp_path: Path, number: int) -> None:
    """Fifteen digits of them, in a form that Prometheus reads."""
    with closing(opened(tmp_path / "sweeps.db")) as store:
        status = store.status()
    news = replace(told[0], counts=dict(told[0].counts) | {"bytes": number})
    (found,) = read("".join(metrics.render(news, status)))["oakum_sweep_clone_bytes"].values()
    assert found == pytest.approx(number, rel=1e-14)


def test_times_are_exact(told: tuple[News, Metrics], tmp_path: Path) -> None:
    """To the millisecond, and a clock that was set back does no harm."""
    with closing(opened(tmp_path / "sweeps.db")) as store:
        status = store.status()
    began = night(2) + timedelta(microseconds=123456)
    found = read("".join(metrics.render(replace(told[0], started=began, ended=night(2)), status)))
    assert found["oakum_sweep_start_timestamp_seconds"][""] == pytest.approx(began.timestamp(), abs=1e-3)
    assert found["oakum_sweep_duration_seconds"][""] == pytest.approx(-0.123456)
