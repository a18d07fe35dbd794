"""Runs a notebook somewhere safe: our own Python, nothing of the user's set-up, nothing written.

The kernel is the Python this library runs under, whatever kernels are installed; its folders and
its working folder are temporary, and it is given a saved Release, so no respondent reaches it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from culture_analytics.errors import ReportError
from culture_analytics.progress import QUIET_VARIABLE

__all__ = [
    "CELL_SECONDS",
    "KernelHome",
    "kernel_home",
    "notebook_files",
    "parameter_names",
    "read_notebook",
    "run_notebook",
    "set_parameters",
]

CELL_SECONDS = 600  # a cell that takes longer has hung
LONGEST_SOCKET = 90  # a socket's path may be little longer than this
KERNEL = "culture-analytics"
Notebook = Any  # nbformat.NotebookNode


@dataclass(frozen=True)
class KernelHome:
    """Temporary folders of the kernels of one report.

    Attributes
    ----------
    folder : Path
        Where it all is.
    environment : mapping of str to str
        Environment variables of the kernel.
    """

    folder: Path
    environment: Mapping[str, str]

    @property
    def kernels(self) -> Path:
        """Folder of kernel specifications."""
        return self.folder / "kernels"

    @property
    def work(self) -> Path:
        """Working folder of the notebooks."""
        return self.folder / "work"


@contextmanager
def kernel_home() -> Iterator[KernelHome]:
    """Make the temporary folders, and remove them at the end.

    Yields
    ------
    KernelHome
        Folders and environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="culture-analytics-"))
    try:
        home = KernelHome(folder, _environment(folder))
        home.work.mkdir()
        (home.kernels / KERNEL).mkdir(parents=True)
        _write_kernel_spec(home.kernels / KERNEL / "kernel.json")
        _copy_font_list(folder / "matplotlib")
        yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "MPL"))}
    package_root = str(Path(__file__).resolve().parents[2])
    python_path = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **kept,
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter" / "config"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter" / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter" / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "PYTHONPATH": os.pathsep.join(python_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        QUIET_VARIABLE: "1",
    }


def _write_kernel_spec(file: Path) -> None:
    import json

    argv = [
        sys.executable,
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        "--HistoryManager.enabled=False",
    ]
    spec = {"argv": argv, "display_name": "Python", "language": "python"}
    file.write_text(json.dumps(spec), encoding="utf-8")


def _copy_font_list(folder: Path) -> None:
    """Bring matplotlib's list of fonts along: making it anew takes many seconds."""
    import matplotlib

    folder.mkdir()
    for found in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copy(found, folder)


def notebook_files(folder: Path) -> list[Path]:
    """Notebooks of a folder, in the order of their names.

    Parameters
    ----------
    folder
        Where they are.

    Raises
    ------
    ReportError
        There are none.
    """
    found = sorted(folder.glob("*.ipynb"))
    if not found:
        raise ReportError(f"No notebook is in {folder}: the installation is incomplete.")
    return found


def read_notebook(file: Path) -> Notebook:
    """Read a notebook file.

    Parameters
    ----------
    file
        An ``.ipynb`` file.

    Raises
    ------
    ReportError
        It is no notebook.
    """
    import nbformat

    try:
        return nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise ReportError(f"{file.name} cannot be read as a notebook.") from error


def parameter_names(notebook: Notebook) -> tuple[str, ...]:
    """The names that a notebook's parameters cell gives values to.

    Parameters
    ----------
    notebook
        With one code cell tagged ``parameters``.
    """
    import ast

    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    body = ast.parse(cells[0].source).body if cells else []
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    return tuple(t.id for t in targets if isinstance(t, ast.Name))


def set_parameters(notebook: Notebook, values: Mapping[str, object]) -> Notebook:
    """Give a notebook other parameters.

    Parameters
    ----------
    notebook
        With one code cell tagged ``parameters``.
    values
        The new cell: a name and a plain value a line.

    Returns
    -------
    NotebookNode
        A copy.

    Raises
    ------
    ReportError
        Not exactly one cell is tagged so.
    """
    import copy

    changed = copy.deepcopy(notebook)
    cells = [c for c in changed.cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ReportError(
            f"A notebook needs one cell tagged 'parameters'; this one has {len(cells)}."
        )
    cells[0].source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    return changed


def run_notebook(notebook: Notebook, home: KernelHome, *, name: str) -> Notebook:
    """Run all cells in a fresh kernel.

    Parameters
    ----------
    notebook
        Changed in place: outputs are filled in.
    home
        Temporary folders.
    name
        Of the notebook, for messages.

    Returns
    -------
    NotebookNode
        The notebook.

    Raises
    ------
    ReportError
        A cell failed or took too long: names the notebook, the question above the cell and the
        library's message.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    specs = KernelSpecManager(kernel_dirs=[str(home.kernels)], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name=KERNEL, kernel_spec_manager=specs)
    manager.connection_file = str(home.folder / f"kernel-{name}.json")
    _keep_off_the_network(manager, home.folder / name[:2])
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(home.work)}},
        store_widget_state=False,
        record_timing=False,
    )
    try:
        client.execute(
            env=dict(home.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except CellExecutionError as error:
        raise ReportError(
            f"The report stopped in {name}, under {_failed_heading(notebook)!r}: "
            f"{error.ename}: {error.evalue}"
        ) from None
    except CellTimeoutError:
        raise ReportError(
            f"The report stopped in {name}, under {_failed_heading(notebook)!r}: a step took "
            f"longer than {CELL_SECONDS // 60} minutes."
        ) from None
    except (DeadKernelError, RuntimeError) as error:
        raise ReportError(
            f"The report stopped in {name}: Python ended while it was running "
            f"({type(error).__name__}). Close other programs to free memory and run it again."
        ) from error
    return notebook


def _keep_off_the_network(manager: Any, socket: Path) -> None:
    """Talk to the kernel through files where the system can; else through this machine only."""
    if os.name == "posix" and len(str(socket)) < LONGEST_SOCKET:
        manager.transport = "ipc"
        manager.ip = str(socket)


def _failed_heading(notebook: Notebook) -> str:
    """The heading above the cell that failed, which is the last one that was begun."""
    heading = "the beginning"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = [line for line in cell.source.splitlines() if line.startswith("#")]
            heading = titles[-1].lstrip("# ") if titles else heading
        elif cell.cell_type == "code" and any(o.output_type == "error" for o in cell.outputs):
            return heading
    unfinished = "the beginning"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = [line for line in cell.source.splitlines() if line.startswith("#")]
            unfinished = titles[-1].lstrip("# ") if titles else unfinished
        elif cell.cell_type == "code" and cell.execution_count is None:
            return unfinished
    return heading
