"""The command line, as a person runs it: real processes, real folders."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from rnncourse import __version__ as rnncourse_version
from rnncourse._installation import checkout
from rnncourse.grading.sandbox import bubblewrap
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.launch import WORDS, obstacle, sandboxed
from tools.demonstration.learners import WRONG_ORDER, filled, solutions

ROOT = Path(__file__).parents[1]
NO_SANDBOX = obstacle()
GRADE = ("grade", "--specs", str(ROOT))


def rnncourse(
    *arguments: str | Path, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rnncourse", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "200"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    """One sentence on stderr, no traceback, and an exit status that says no."""
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("rnncourse: ")
    assert sentence in done.stderr


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    done = rnncourse("start", "work", cwd=tmp_path)
    assert done.returncode == 0, done
    return tmp_path / "work"


def test_start_makes_a_workspace_and_never_writes_over_it(workspace: Path) -> None:
    notebook = workspace / "lstm" / "lstm.ipynb"
    assert notebook.read_bytes() == (ROOT / "exercises/lstm/lstm.ipynb").read_bytes()
    notebook.write_text("mine", encoding="utf-8")
    again = rnncourse("start", "work", cwd=workspace.parent)
    assert again.returncode == 0 and "kept  work/lstm/lstm.ipynb" in again.stdout
    assert notebook.read_text(encoding="utf-8") == "mine"


def test_check_names_a_mistake_in_the_terminal(workspace: Path) -> None:
    notebook = workspace / "lstm" / "lstm.ipynb"
    notebook.write_text(filled(solutions() | {"lstm_cell": WRONG_ORDER}), encoding="utf-8")
    done = rnncourse("check", "lstm/lstm.ipynb", cwd=workspace)
    assert done.returncode == 1
    assert "✗ lstm_cell: 3 of 13 public checks passed." in done.stdout
    assert "→ Your gates are in the order i, f, o, g; torch's is i, f, g, o." in done.stdout
    assert "✓ lstm_layer: 9 of 9 public checks passed; hidden ones run at grading." in done.stdout
    notebook.write_text(filled(solutions()), encoding="utf-8")
    assert rnncourse("check", "lstm", cwd=workspace).returncode == 0


@pytest.mark.slow
def test_check_says_which_cell_failed(workspace: Path) -> None:
    notebook = workspace / "lstm" / "lstm.ipynb"
    notebook.write_text(
        filled({"lstm_cell": "@fill\ndef lstm_cell(x):\n    pass"}), encoding="utf-8"
    )
    done = rnncourse("check", cwd=workspace)
    assert done.returncode == 1
    assert "the cell lstm_cell: FillError: lstm_cell(x, h, c, w_ih" in done.stdout


@pytest.mark.slow
def test_a_forgotten_fill_is_said_and_counts(workspace: Path) -> None:
    answers = {name: text.replace("@fill\n", "") for name, text in solutions().items()}
    (workspace / "lstm" / "lstm.ipynb").write_text(filled(answers), encoding="utf-8")
    done = rnncourse("check", "lstm", cwd=workspace)
    assert done.returncode == 0, done
    assert "@fill is missing above lstm_cell; your function was taken all the same" in done.stdout


@pytest.mark.slow
def test_progress_counts(workspace: Path) -> None:
    right = solutions()
    layer = (
        "@fill\ndef lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):\n"
        "    weights = [w_ih, w_hh, b_ih, b_hh]\n"
        "    states = h0[None], c0[None]\n"
        "    output, h, c = torch.lstm(x, states, weights, True, 1, 0.0, False, False, False)\n"
        "    return output, (h[0], c[0])"
    )
    some = {name: right[name] for name in ("lstm_cell", "pack_gates")} | {"lstm_layer": layer}
    (workspace / "lstm" / "lstm.ipynb").write_text(filled(some), encoding="utf-8")
    done = rnncourse("progress", cwd=workspace, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    assert "| shapes    | rnn_output_shapes      | 0 of 7        | not filled in |" in done.stdout
    rows = [line for line in done.stdout.splitlines() if "lstm" in line]
    assert sum("done" in row for row in rows) == 2 and any("13 of 13" in row for row in rows)
    assert sum("ready-made" in row and "9 of 9" in row for row in rows) == 1
    assert sum("not filled in" in row for row in rows) == 2


@pytest.mark.parametrize("arguments", [("check", "lstm"), ("progress",), ("submit", "lstm")])
def test_what_was_handed_in_is_not_run_with_the_rights_of_the_caller(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    marker, folder = tmp_path / "marker", tmp_path / "class/submitted/ada"
    own = f"open({str(marker)!r}, 'w').close()\n" + solutions()["set_forget_bias"]
    (folder / "lstm").mkdir(parents=True)
    (folder / "lstm/lstm.ipynb").write_text(filled({"set_forget_bias": own}), "utf-8")
    (tmp_path / "class/nbgrader_config.py").touch()
    refused(rnncourse(*arguments, cwd=folder), "there is no sandbox here: use rnncourse grade.")
    assert not marker.exists()


def test_submit_writes_one_clean_file(workspace: Path) -> None:
    notebook = workspace / "lstm" / "lstm.ipynb"
    content = json.loads(filled({}))
    code = next(cell for cell in content["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 1000}]
    notebook.write_text(json.dumps(content), encoding="utf-8")
    done = rnncourse("submit", "lstm", cwd=workspace)
    assert done.returncode == 0
    assert "Not done: lstm_cell (not filled in), lstm_layer (not filled in)" in done.stdout
    handed_in = json.loads((workspace / "submit" / "lstm.ipynb").read_text(encoding="utf-8"))
    assert "xxxx" not in json.dumps(handed_in)
    assert len(handed_in["cells"]) == len(content["cells"])


NAMES = (
    *("Python", "rnncourse", "numpy", "matplotlib", "IPython", "torch", "training on", "notebooks"),
    *("kernel", "workspace", "disk", "nbgrader", "sandbox"),
)
"""What doctor tells of every machine that has the grader."""


@pytest.fixture(scope="module")
def doctor(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Asked in a workspace with two notebooks; the jupyter on the PATH is another Python's."""
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "gru").mkdir()
    (folder / "gru/gru.ipynb").write_text("{}", encoding="utf-8")
    (folder / "lstm.ipynb").write_text("{}", encoding="utf-8")
    jupyter = folder / "bin/jupyter"
    jupyter.parent.mkdir()
    jupyter.write_text("#!/bin/sh\n", encoding="utf-8")
    jupyter.chmod(0o755)
    return rnncourse("doctor", cwd=folder, PATH=f"{jupyter.parent}:{os.environ['PATH']}")


def lines(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What doctor says, by name."""
    return {line[:12].rstrip(): line[13:] for line in done.stdout.splitlines()}


@pytest.mark.slow
def test_doctor_knows_the_machine(doctor: subprocess.CompletedProcess[str]) -> None:
    assert (doctor.returncode, doctor.stderr) == (0, "")
    said = lines(doctor)
    assert [name for name in said if name != "bubblewrap"] == list(NAMES)
    assert said["Python"] == f"{platform.python_version()}, {sys.executable}"
    place = f"the checkout {ROOT}" if checkout() else "installed in "
    assert said["rnncourse"].startswith(f"{rnncourse_version}, {place}")
    for name in ("numpy", "matplotlib", "IPython", "torch"):
        assert said[name].startswith(version(name)), name
    assert said["workspace"].endswith(": lstm, gru")
    assert re.fullmatch(r"\d+\.\d GB free here", said["disk"])
    assert "/bin/jupyter is another Python's: start" in said["kernel"]
    assert sys.executable in said["kernel"]
    if not torch.cuda.is_available():
        assert said["training on"].startswith("the CPU: torch ")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """doctor --json where torch raises, numpy ends its process and IPython is missing."""
    folder = tmp_path_factory.mktemp("broken")
    ways = {
        "torch": "raise OSError('libcudart.so.12: cannot open shared object file')",
        "numpy": "import os; os.abort()",
        "IPython": "raise ModuleNotFoundError('no decorator', name='decorator')",
    }
    for name, code in ways.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(code, encoding="utf-8")
    path = os.pathsep.join([str(folder), str(ROOT)])
    return rnncourse("doctor", "--json", cwd=folder, PYTHONPATH=path)


def test_doctor_finds_what_is_broken(broken: subprocess.CompletedProcess[str]) -> None:
    refused(broken, "the exercises do not run here without numpy, matplotlib, IPython, torch.")
    told = json.loads(broken.stdout)
    assert told["ready"] is False
    assert told["missing"] == ["numpy", "matplotlib", "IPython", "torch"]
    found = told["findings"]
    said = found["torch"]["said"]
    assert "OSError: libcudart.so.12: cannot open shared object file" in said
    assert 'pip install --force-reinstall "torch>=' in said
    assert found["torch"]["state"] == found["numpy"]["state"] == "missing"
    assert "ended with status" in found["numpy"]["said"]
    assert "not tried without" in found["sandbox"]["said"]
    assert found["Python"] == {
        "state": "ok",
        "said": f"{platform.python_version()}, {sys.executable}",
    }


@pytest.mark.parametrize("command", [["--help"], ["doctor", "--help"], ["check", "--help"]])
def test_help_needs_no_torch(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('broken')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = rnncourse(*command, cwd=tmp_path, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "") and "Usage" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))
def test_doctor_starts_a_sandbox_and_says_what_it_does(
    doctor: subprocess.CompletedProcess[str],
) -> None:
    said = doctor.stdout
    assert bubblewrap.version() in lines(doctor)["bubblewrap"]
    assert bubblewrap.caution(f"bubblewrap {bubblewrap.version()}") in said
    with Worker(sandboxed()) as worker:
        for layer in worker.layers.names:
            assert f"{WORDS[layer]} ({layer})" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check"], "there is no notebook of the course in"),
        (["check", "lstm.ipynb"], "there is no file lstm.ipynb."),
        (["check", "essay.ipynb"], "essay.ipynb is no notebook of the course"),
        (["submit", "lsmt"], "there is no assignment called lsmt: did you mean lstm?"),
        ([*GRADE, "lsmt"], "there is no assignment called lsmt: did you mean lstm?"),
        *(
            pytest.param(arguments, sentence, marks=pytest.mark.slow)
            for arguments, sentence in [
                ([*GRADE, "lstm"], "submitted: submissions are expected in"),
                (["grade", "lstm", "--report", "."], ". is a folder; the report is a file."),
                (["grade", "lstm", "--course", "nowhere"], "there is no folder nowhere."),
                (["grade", "lstm", "--specs", "."], "holds no solutions of this course"),
            ]
        ),
        pytest.param(
            ["release", "lsmt"],
            "there is no assignment called lsmt: did you mean lstm?",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(checkout() is None, reason="only a checkout has solutions"),
            ],
        ),
    ],
)
def test_bad_input_gets_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    refused(rnncourse(*arguments, cwd=tmp_path), sentence)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_notebook_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lstm.ipynb").write_text("{", encoding="utf-8")
    refused(rnncourse("check", "lstm.ipynb", cwd=tmp_path), "lstm.ipynb is not a notebook")
    refused(rnncourse("submit", "lstm", cwd=tmp_path), "lstm.ipynb is not a notebook")


@pytest.mark.slow
def test_without_bubblewrap_the_grader_refuses_and_says_how(tmp_path: Path) -> None:
    folder = tmp_path / "submitted" / "ada" / "lstm"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "exercises/lstm/lstm.ipynb", folder)
    done = rnncourse(*GRADE, "lstm", cwd=tmp_path, PATH=str(tmp_path))
    refused(done, "apt install bubblewrap")
    assert "--no-sandbox" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["submitted"]


@pytest.mark.slow
def test_a_learner_who_is_not_there_and_one_who_is(tmp_path: Path) -> None:
    (tmp_path / "submitted" / "ada" / "lstm").mkdir(parents=True)
    done = rnncourse(*GRADE, "lstm", "--student", "bea", cwd=tmp_path)
    refused(done, "bea has not handed in lstm")


def make_setup(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`make setup` in a folder with nothing but what it reads."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(
        ["make", "setup", *options],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_refuses_an_old_python(tmp_path: Path) -> None:
    old = tmp_path / "python"
    code = "import sys; sys.version_info = (3, 9);$2"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}"\n', encoding="utf-8")
    old.chmod(0o755)
    done = make_setup(tmp_path, f"PYTHON={old}")
    assert done.returncode != 0
    assert "This course needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_refuses_a_python_that_is_not_there(tmp_path: Path) -> None:
    done = make_setup(tmp_path, "PYTHON=nopython")
    assert done.returncode != 0
    assert "There is no nopython here. Install Python 3.11 or newer" in done.stderr


RECORDS = """#!/bin/sh
# A Python whose environments hold one that only writes down what it is asked for.
case "$1" in
-m) mkdir -p .venv/bin
    printf '#!/bin/sh\\necho "$@" >> asked.txt\\n' > .venv/bin/python
    chmod +x .venv/bin/python;;
esac
"""
SMALL_TORCH = "--extra-index-url https://download.pytorch.org/whl/cpu"
BIG = "torch for Linux may bring CUDA"


def recorded_setup(folder: Path, *options: str, **variables: str) -> tuple[str, str]:
    """What `make setup` prints, and what it asks of pip."""
    python = folder / "python"
    python.write_text(RECORDS, encoding="utf-8")
    python.chmod(0o755)
    done = make_setup(folder, f"PYTHON={python}", *options, **variables)
    assert done.returncode == 0, done
    return done.stdout, (folder / "asked.txt").read_text("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' torch has no CUDA")
def test_make_says_what_torch_brings_before_it_comes(tmp_path: Path) -> None:
    said, asked = recorded_setup(tmp_path)
    has_driver = Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi")
    assert (BIG in said) == (not has_driver)
    if BIG in said:
        assert "make setup TORCH=cpu" in said
    assert asked.count("pip install") == 1 and SMALL_TORCH not in asked


def test_make_says_nothing_of_cuda_where_there_is_a_driver(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    driver = tmp_path / "bin/nvidia-smi"
    driver.write_text("#!/bin/sh\n", encoding="utf-8")
    driver.chmod(0o755)
    said, _ = recorded_setup(tmp_path, PATH=f"{driver.parent}:{os.environ['PATH']}")
    assert BIG not in said


def test_make_fetches_the_small_torch(tmp_path: Path) -> None:
    said, asked = recorded_setup(tmp_path, "TORCH=cpu")
    assert BIG not in said
    assert SMALL_TORCH in asked


def test_make_refuses_another_torch(tmp_path: Path) -> None:
    done = make_setup(tmp_path, "TORCH=gpu")
    assert done.returncode != 0
    assert "TORCH is cpu or left out, not gpu." in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_without_a_network_says_so_and_can_be_run_again(tmp_path: Path) -> None:
    done = make_setup(tmp_path, PIP_NO_INDEX="1")
    assert done.returncode != 0
    assert "The packages could not be installed" in done.stderr
    assert "Is there a network?" in done.stderr
    assert not (tmp_path / ".venv" / ".ready").exists()
