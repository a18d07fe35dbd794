"""The names of the package: every one is there, is what it says, and costs nothing until used."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import culture_analytics as ca

MODULES = {"plots", "show"}
SLOW = ("scipy.stats", "scipy.optimize", "matplotlib.pyplot", "statsmodels", "seaborn")


@pytest.mark.parametrize("name", ca.__all__)
def test_every_name_is_there(name: str) -> None:
    found = getattr(ca, name)
    # A module of the same name would take the place of a function once it is imported.
    assert isinstance(found, ModuleType) == (name in MODULES)


def test_names_are_sorted_and_stand_once() -> None:
    assert sorted(set(ca.__all__), key=lambda n: (not n.isupper(), n[0].islower(), n)) == ca.__all__
    assert set(ca.__all__) <= set(dir(ca))


def test_importing_every_module_hides_no_name() -> None:
    code = (
        "import pkgutil, importlib, types, culture_analytics as ca\n"
        "for m in pkgutil.iter_modules(ca.__path__):\n"
        "    if m.name != '__main__': importlib.import_module('culture_analytics.' + m.name)\n"
        "print([n for n in ca.__all__ if isinstance(getattr(ca, n), types.ModuleType)])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['plots', 'show']"


def test_importing_loads_nothing_slow() -> None:
    code = f"import sys, culture_analytics; print([m for m in {SLOW!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compare_everything'"):
        _ = ca.compare_everything
