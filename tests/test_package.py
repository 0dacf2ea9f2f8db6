"""What is installed: the package, its exercises, and none of the instructor's side."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from importlib.metadata import entry_points, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import trove_classifiers
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rnncourse
from rnncourse._exercise import CHAPTERS
from rnncourse._installation import install_command, requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from the source distribution, as an installation from an index may be."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return built("wheel", folder / sdist.name.removesuffix(".tar.gz"), folder)


@pytest.fixture(scope="module")
def described(wheel: Path) -> Message:
    """What the wheel says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_string(archive.read(name).decode("utf-8"))


def built(kind: str, root: Path, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def test_the_source_distribution_holds_what_the_wheel_is_made_from(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        paths = [
            Path(name).relative_to(sdist.name.removesuffix(".tar.gz"))
            for name in archive.getnames()
        ]
    tops = {path.parts[0] for path in paths}
    assert tops - {".gitignore", "PKG-INFO"} == {
        *("rnncourse", "exercises", "pyproject.toml"),
        *("README.md", "CHANGELOG.md", "LICENSE", "LICENSES"),
    }


def test_the_wheel_holds_the_course_and_no_answers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        texts = {n: archive.read(n).decode("utf-8") for n in names if n.endswith((".py", ".ipynb"))}
    for wanted in (
        "rnncourse/lstm.py",
        "rnncourse/checks/fingerprints/lstm.json",
        "rnncourse/grading/pages/templates/feedback.html",
        "rnncourse/_exercises/lstm/lstm.ipynb",
    ):
        assert wanted in names
    assert any(name.endswith("LICENSE") for name in names)
    assert {f"LICENSES/{name}" for name in ("python.txt", "sktime.txt", "vega-datasets.txt")} <= {
        "/".join(n.split("/")[-2:]) for n in names
    }
    assert all(name.startswith(("rnncourse/", "rnncourse-")) for name in names)
    for name, text in texts.items():
        assert "BEGIN SOLUTION" not in text, name
        assert "BEGIN HIDDEN TESTS" not in text or name.endswith(".py"), name


def test_a_learner_can_start_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Unpacked away from the checkout, as an installation is."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-m", "rnncourse", "start", "work"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "made  work/lstm/lstm.ipynb" in done.stdout
    made = (tmp_path / "work/lstm/lstm.ipynb").read_bytes()
    assert made == (ROOT / "exercises/lstm/lstm.ipynb").read_bytes()


def test_every_stub_module_is_an_assignment() -> None:
    for chapter in CHAPTERS:
        for place in (
            f"rnncourse/{chapter}.py",
            f"solutions/{chapter}/{chapter}.ipynb",
            f"exercises/{chapter}/{chapter}.ipynb",
            f"tools/answers/{chapter}.toml",
            f"tools/answers/{chapter}.py",
        ):
            assert (ROOT / place).is_file(), place
        assert find_spec(f"rnncourse.checks.plans.{chapter}"), chapter
    for room in ("solutions", "exercises"):
        assert {p.name for p in (ROOT / room).iterdir()} == set(CHAPTERS), room


def test_the_package_imports_one_way() -> None:
    """A learner's process never needs the grader."""
    code = (
        "import sys; import rnncourse, rnncourse.nn, rnncourse.train, rnncourse.data;"
        "import rnncourse._cli, rnncourse._workspace, rnncourse.checks.plans.lstm;"
        "sys.exit(any(m.startswith('rnncourse.grading') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_hints_name_an_address_that_works(wheel: Path, tmp_path: Path) -> None:
    """rnncourse itself is on no index; README installs it from its repository."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "from rnncourse._installation import checkout, install_command, requirement;"
        "print(checkout(), install_command('grading'), requirement('NBGrader'), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    none, command, nbgrader = done.stdout.splitlines()
    address = project_table()["urls"]["Repository"]
    assert (none, command) == ("None", f'pip install "rnncourse[grading] @ git+{address}"')
    wanted = project_table()["optional-dependencies"]["grading"]
    assert Requirement(nbgrader) in map(Requirement, wanted)


def test_hints_in_a_checkout_name_it() -> None:
    assert install_command("grading") == f'pip install -e "{ROOT}[grading]"'
    assert requirement("no-such-package") == "no-such-package"


def test_an_index_is_told_all(described: Message) -> None:
    for field in ("Author", "Summary", "License-Expression", "Keywords", "Requires-Python"):
        assert described[field], field
    urls = dict(line.split(", ", 1) for line in described.get_all("Project-URL", []))
    assert set(urls) == {"Homepage", "Documentation", "Repository", "Changelog", "Issues"}
    for name in ("Documentation", "Changelog"):
        place = urls[name].removeprefix(urls["Repository"] + "/blob/main/")
        assert (ROOT / place).is_file(), urls[name]
    known = set(trove_classifiers.classifiers)
    classifiers = described.get_all("Classifier", [])
    assert classifiers and set(classifiers) <= known


def test_an_index_shows_the_readmes_pictures_and_links(described: Message) -> None:
    page, here = str(described.get_payload()), (ROOT / "README.md").read_text("utf-8")
    addresses = re.findall(r"(!?)\[[^\]]*\]\(([^)\s]+)\)", page)
    assert len(addresses) == len(re.findall(r"\]\(", here)) > 2
    repository = project_table()["urls"]["Repository"]
    raw = repository.replace("//github.com/", "//raw.githubusercontent.com/") + "/main/"
    for picture, address in addresses:
        start = raw if picture else f"{repository}/blob/main/"
        assert address.startswith(start)
        assert (ROOT / address.removeprefix(start)).is_file(), address


COMMANDS = re.compile(r"```(?:bash|powershell)?\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("page", "blocks"), [("README.md", 1), ("book/use.md", 2)])
def test_what_a_learner_types_is_provided_by_what_is_installed(page: str, blocks: int) -> None:
    """Every command after `pip install` belongs to this package or to one that it asks for."""
    texts = COMMANDS.findall((ROOT / page).read_text("utf-8"))
    paths = [text for text in texts if "pip install" in text and "rnncourse start" in text]
    assert len(paths) == blocks
    scripts = entry_points(group="console_scripts")
    for text in paths:
        before, _, after = text.partition("pip install ")
        wanted, *lines = after.splitlines()
        installed = Requirement(re.findall(r'"([^"]+)"', wanted)[0])
        assert installed.name == "rnncourse"
        project = project_table()
        extras = [project["optional-dependencies"][name] for name in installed.extras]
        provided = names_of([*project["dependencies"], *sum(extras, [])]) | {"rnncourse"}
        words = [line.partition("#")[0].split() for line in lines]
        typed = [w for w in words if w and w[0] != "cd"]
        assert [w[0] for w in typed] == ["rnncourse", "jupyter"]
        for first, second, *_ in typed:
            name = f"jupyter-{second}" if first == "jupyter" else first
            owners = {canonicalize_name(s.dist.name) for s in scripts if s.name == name and s.dist}
            assert owners and owners <= provided, name


def test_a_fork_is_told_where_the_address_still_differs() -> None:
    address = project_table()["urls"]["Repository"]
    known = re.compile(r"https://(?:raw\.githubusercontent|github)\.com/([\w.-]+/rnncourse)\b")
    for place in ("pyproject.toml", "README.md", "book/use.md", "book/teach.md", "book/index.md"):
        found = set(known.findall((ROOT / place).read_text("utf-8")))
        assert found <= {address.removeprefix("https://github.com/")}, place


def test_the_threat_model_names_tests_that_are_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "book/teach.md").read_text("utf-8"))
    assert len(named) >= 8
    assert [path for path in named if not (ROOT / path).is_file()] == []


PUBLIC = {"carry_over", "check", "exercises", "fill", "demo", "progress"}
MODULES = {"data", "glove", "nn", "plots", "train"}


def test_what_the_package_offers_is_what_a_learner_uses() -> None:
    """Also after all of it is loaded, and where a notebook completes a name."""
    assert {*rnncourse.__all__} == PUBLIC
    importlib.import_module("rnncourse._cli")
    importlib.import_module("rnncourse._carry")
    shell = InteractiveShell.instance()
    shell.user_ns["rnncourse"] = rnncourse
    text = "rnncourse."
    with provisionalcompleter():
        offered = {one.text for one in shell.Completer.completions(text, len(text))}
    assert offered == PUBLIC | MODULES
    for path in (ROOT / "rnncourse").iterdir():
        name = path.name.removesuffix(".py")
        known = {*CHAPTERS, *MODULES, "checks", "grading"}
        assert name.startswith("_") or name in known, f"{name}: public, or with an underscore?"


def test_the_command_line_starts_without_torch() -> None:
    code = """
import sys
import rnncourse, rnncourse._cli, rnncourse._doctor
assert "torch" not in sys.modules
from rnncourse import *
assert check is rnncourse.check is rnncourse.checks.check
assert fill is rnncourse._exercise.fill
assert not hasattr(rnncourse, "no_such_name")
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_package_that_is_imported_is_declared() -> None:
    """None comes only because another package happens to need it today."""
    project = project_table()
    base = names_of(project["dependencies"])
    extras = {name: names_of(needs) for name, needs in project["optional-dependencies"].items()}
    distributions = packages_distributions()
    for path in (ROOT / "rnncourse").rglob("*.py"):
        in_grader = "grading" in path.relative_to(ROOT).parts
        declared = set().union(base, *extras.values()) if in_grader else base | extras["book"]
        for module in set(imported(path)) - {"rnncourse", "tests"} - sys.stdlib_module_names:
            known = {canonicalize_name(name) for name in distributions.get(module, [module])}
            assert known & declared, f"{path}: {module}"


def test_constraints_are_exact_and_allow_what_is_declared() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    exact = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in exact}
    assert len(pins) == len(exact) and all(str(pin.specifier).startswith("==") for pin in exact)
    project = project_table()
    for need in [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]:
        requirement = Requirement(need)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), need


def project_table() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def names_of(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a module imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
