"""Two hundred files that went wrong; ten thousand are read by benchmarks/fuzz_readers.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.read.fuzz import plan, run
from tests.read.mutations import MUTATIONS

# Every mutation is there at least once; the heaviest have a test of their own.
COUNT = 200
HEAVY = ("zip bombs", "a million columns", "many rows in a small file")


pytestmark = pytest.mark.slow  # hundreds of files: once, under the newest pandas


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CULTURE_ANALYTICS_CACHE", "off")


JOBS = plan(COUNT, but=HEAVY)


@pytest.mark.parametrize("mutation", sorted({name for name, _ in JOBS}))
def test_reads_or_refuses_and_loses_nobody(mutation: str, folder: Path) -> None:
    outcomes = [run(name, seed, folder) for name, seed in JOBS if name == mutation]
    assert outcomes
    faults = [f"{each.name}: {'; '.join(each.faults)}" for each in outcomes if each.faults]
    assert not faults


def test_sound_files_are_read(folder: Path) -> None:
    outcomes = [run("nothing wrong", seed, folder) for seed in range(100, 112)]
    assert [each.result for each in outcomes] == ["read"] * 12


@pytest.mark.parametrize("mutation", ["far cells", *HEAVY])
def test_heavy_files_stay_within_bounds(mutation: str, folder: Path) -> None:
    assert mutation in MUTATIONS
    for seed in range(2):
        assert run(mutation, seed, folder).faults == ()
