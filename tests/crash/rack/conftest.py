"""The end-to-end tests' fixtures, and what only the rack needs."""
import importlib.util
import pathlib
import sys

import pytest

E2E = pathlib.Path(__file__).resolve().parents[2] / "e2e"
sys.path[:0] = [str(E2E), str(pathlib.Path(__file__).resolve().parent)]

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_e2e = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_e2e)
port, no_names, postrider, house, hostile = (getattr(_e2e, n) for n in ("port", "no_names", "postrider", "house", "hostile"))


@pytest.fixture
def figures(request, capsys):
    """Prints a line of figures under the name of its test, whatever pytest swallows else."""

    def tell(**values):
        text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
        with capsys.disabled():
            print(f"\n   {request.node.name}: {text}", flush=True)

    return tell
