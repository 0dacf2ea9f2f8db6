"""Push the lessons' notebooks to the branch on which Colab opens them.

    make site && python -m tools.publish

The branch holds what lies in ``_build/html/notebooks`` and nothing else, in one commit without a
history. Its name stands in ``_config.yml``. ``.github/workflows/publish.yml`` does this after
each change of the main branch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from book._ext.addresses import NOTEBOOKS, AddressError, read_addresses

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Push, or say in a sentence why not."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "_build" / "html" / NOTEBOOKS)
    parser.add_argument("--remote", default="origin", help="a remote's name or address")
    options = parser.parse_args()
    if not list(options.notebooks.glob("*.ipynb")):
        sys.exit(f"tools.publish: there are no notebooks in {options.notebooks}: make site first.")
    try:
        branch = read_addresses(ROOT).notebooks_branch
        push(options.notebooks.resolve(), options.remote, branch)
    except AddressError as error:
        sys.exit(f"tools.publish: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"tools.publish: {error.stderr.strip() or error}")
    print(f"pushed  {branch}")


def push(folder: Path, remote: str, branch: str) -> None:
    """Make a branch of the remote hold the files of a folder.

    Raises:
        subprocess.CalledProcessError: git refused.
    """
    place = Path(git("rev-parse", "--absolute-git-dir"))
    objects = git("rev-parse", "--path-format=absolute", "--git-path", "objects")
    with tempfile.TemporaryDirectory() as scratch:
        # The checkout's own index, files and objects stay as they are.
        apart = {
            "GIT_DIR": str(place),
            "GIT_WORK_TREE": str(folder),
            "GIT_INDEX_FILE": f"{scratch}/index",
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        }
        git("add", "--all", "--force", ".", folder=folder, **apart)
        tree = git("write-tree", folder=folder, **apart)
        commit = git("commit-tree", tree, "-m", "The lessons' notebooks", folder=folder, **apart)
        git("push", "--force", remote, f"{commit}:refs/heads/{branch}", folder=folder, **apart)


def git(*words: str, folder: Path = ROOT, **environment: str) -> str:
    """What a command of git prints."""
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
