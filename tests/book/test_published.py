"""What is published is where buttons, links and install cells say: the site and the branches."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from .site import CHAPTERS, EXERCISES, ROOT, read

addresses = import_module("addresses").read_addresses(ROOT)
WORKFLOW = ROOT / ".github" / "workflows" / "publish.yml"
COLAB = re.compile(r"https://colab\.research\.google\.com/github/([^/]+/[^/]+)/blob/([^/]+)/(.+)")


def steps() -> list[dict[str, Any]]:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def publish(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run what the workflow runs, with other arguments."""
    command = next(step["run"] for step in steps() if "tools.publish" in step.get("run", ""))
    person = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return subprocess.run(
        [sys.executable, *shlex.split(command)[1:], *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | person,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def remote(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to which the notebooks were pushed, twice."""
    bare = tmp_path_factory.mktemp("remote")
    subprocess.run(["git", "init", "--bare", "--quiet", str(bare)], check=True)
    for _ in range(2):
        done = publish("--notebooks", site / "notebooks", "--remote", bare)
        assert (done.returncode, done.stderr) == (0, "")
    return bare


def files_on(branch: str, remote: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", branch],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(listed.stdout.splitlines())


@pytest.mark.parametrize("page", [*CHAPTERS, "book/conventions", *EXERCISES])
def test_colab_opens_a_file_that_is_published(page: str, site: Path, remote: Path) -> None:
    found = [m for link in read(site / f"{page}.html").links if (m := COLAB.fullmatch(link))]
    assert found
    for project, branch, file in (m.groups() for m in found):
        assert addresses.repository == f"https://github.com/{project}"
        if page in EXERCISES:
            assert (branch, file) == (addresses.branch, f"{page}.ipynb")
            assert (ROOT / file).is_file()
        else:
            assert file in files_on(branch, remote)


def test_the_branch_of_notebooks_holds_them_and_nothing_else(site: Path, remote: Path) -> None:
    made = {p.relative_to(site / "notebooks").as_posix() for p in (site / "notebooks").rglob("*.*")}
    assert files_on(addresses.notebooks_branch, remote) == made


def test_without_notebooks_nothing_is_pushed(tmp_path: Path) -> None:
    done = publish("--notebooks", tmp_path, "--remote", tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "make site first" in done.stderr


def test_a_refusal_of_git_is_a_sentence(site: Path, tmp_path: Path) -> None:
    done = publish("--notebooks", site / "notebooks", "--remote", tmp_path / "none")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "tools.publish: fatal" in done.stderr


def test_the_workflow_builds_the_site_and_deploys_it() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow[True]["push"]["branches"] == [addresses.branch]  # YAML reads "on" as true
    assert workflow["permissions"] == {"contents": "write", "pages": "write", "id-token": "write"}
    used = [step["uses"] for step in steps() if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used)
    said = [step.get("run", step.get("uses", "")) for step in steps()]
    order = ["make site", "actions/upload-pages-artifact", "actions/deploy-pages"]
    places = [next(n for n, text in enumerate(said) if text.startswith(one)) for one in order]
    assert places == sorted(places)
    assert {"path": "_build/html"} in [step.get("with") for step in steps()]


def test_the_repository_is_the_one_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert addresses.repository == project["urls"]["Repository"]


def test_the_zip_holds_every_notebook_and_what_they_read(site: Path) -> None:
    with ZipFile(site / "downloads" / "rnncourse-notebooks.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    for path in (site / "notebooks").rglob("*.*"):
        assert inside.pop(path.relative_to(site / "notebooks").as_posix()) == path.read_bytes()
    for path in (ROOT / "exercises").glob("*/*.ipynb"):
        assert inside.pop(path.relative_to(ROOT / "exercises").as_posix()) == path.read_bytes()
    assert inside == {}


def test_use_links_the_zip_and_the_wheel(site: Path) -> None:
    links = [link for link in read(site / "book/use.html").links if "/downloads/" in link]
    assert links == ["../downloads/rnncourse-notebooks.zip", f"../downloads/{addresses.wheel}"]


def test_a_site_on_any_server_is_enough_to_install_from(
    site: Path, address: str, tmp_path: Path
) -> None:
    """The install cell's own command, offline, into an empty folder."""
    assert (site / "downloads" / addresses.wheel).is_file()
    cell = replace(addresses, install=address).install_cell()
    words = shlex.split(cell.partition("%pip ")[2])
    target = tmp_path / "target"
    command = [
        sys.executable,
        "-m",
        "pip",
        *words,
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = subprocess.run(
        [
            sys.executable,
            "-c",
            "import rnncourse; print(rnncourse.__file__, rnncourse.__version__)",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert imported.stdout.split() == [str(target / "rnncourse/__init__.py"), addresses.version]


@pytest.mark.parametrize(
    ("install", "arguments"),
    [
        ("rnncourse", "rnncourse"),
        ("git+https://example.org/r", '"rnncourse @ git+https://example.org/r"'),
        ("https://example.org/r.whl", '"rnncourse @ https://example.org/r.whl"'),
        ("https://example.org/simple/", "--index-url https://example.org/simple/ rnncourse"),
        (
            "https://example.org/course",
            '"rnncourse @ https://example.org/course/downloads/rnncourse-9.0-py3-none-any.whl"',
        ),
    ],
)
def test_what_an_install_address_may_be(install: str, arguments: str) -> None:
    assert replace(addresses, install=install, version="9.0").pip_arguments() == arguments
