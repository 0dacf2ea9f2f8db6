"""Where the course is published, as ``_config.yml`` says, and every address that follows from it.

    _config.yml: repository,  -->  Addresses  -->  "Open in Colab" on pages and in notebooks
      published                                    links from notebooks to the site
                                                   what the first cell of a notebook installs
                                                   the branch that ``tools.publish`` pushes

Needs no Sphinx, so that tools read the same settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

PACKAGE = "rnncourse"
NOTEBOOKS = "notebooks"
"""The folder of the site that holds the lessons' notebooks, which is published as a branch too."""
DOWNLOADS = "downloads"
"""The folder of the site that holds the wheel and the zip of all notebooks."""
ARCHIVE = f"{PACKAGE}-notebooks.zip"
COLAB = "https://colab.research.google.com"


class AddressError(Exception):
    """``_config.yml`` does not say where the course is published."""


@dataclass(frozen=True)
class Addresses:
    """Where the course is published.

    Attributes:
        repository: the address on GitHub.
        branch: the branch with the sources and the exercises.
        notebooks_branch: the branch with the lessons' notebooks.
        site: the address of the site, with a slash at its end.
        install: from where a notebook's first cell installs the course: ``git+`` and a repository,
            a wheel's address, a package index whose address ends in ``/simple/``, the address of
            a site like this one, or only ``rnncourse`` for pip's own index.
        version: the package's.
    """

    repository: str
    branch: str
    notebooks_branch: str
    site: str
    install: str
    version: str

    @property
    def wheel(self) -> str:
        """The name of the wheel's file."""
        return f"{PACKAGE}-{self.version}-py3-none-any.whl"

    def page(self, docname: str) -> str:
        """The address of a page of the site."""
        return f"{self.site}{docname}.html"

    def stored(self, name: str) -> str:
        """The address of a stored result that a notebook reads."""
        return f"{self.site}{NOTEBOOKS}/stored/{name}"

    def colab(self, path: str, branch: str) -> str:
        """The address by which Colab opens a file of the repository."""
        project = urlsplit(self.repository).path.strip("/")
        return f"{COLAB}/github/{project}/blob/{branch}/{path}"

    def colab_exercise(self, docname: str) -> str:
        """The address by which Colab opens an exercise, which is committed as a notebook."""
        return self.colab(f"{docname}.ipynb", self.branch)

    def colab_lesson(self, docname: str) -> str:
        """The address by which Colab opens a lesson's notebook."""
        return self.colab(notebook_name(docname), self.notebooks_branch)

    def pip_arguments(self) -> str:
        """What stands behind ``pip install``."""
        if self.install == PACKAGE:
            return PACKAGE
        if self.install.startswith("git+") or self.install.endswith(".whl"):
            return f'"{PACKAGE} @ {self.install}"'
        if self.install.endswith("/simple/"):
            return f"--index-url {self.install} {PACKAGE}"
        return f'"{PACKAGE} @ {self.install.rstrip("/")}/{DOWNLOADS}/{self.wheel}"'

    def install_cell(self) -> str:
        """The first code cell of every notebook."""
        return (
            "# In Colab this installs the course's package. Anywhere else it does nothing.\n"
            'import sys\n\nif "google.colab" in sys.modules:\n'
            f"    %pip install -q {self.pip_arguments()}"
        )


def notebook_name(docname: str) -> str:
    """The file of a lesson's notebook: not the name of the exercise, beside which it may lie."""
    return f"lesson-{docname.rpartition('/')[2]}.ipynb"


def read_addresses(root: Path) -> Addresses:
    """The addresses of the checkout in a folder.

    Raises:
        AddressError: a setting is missing.
    """
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    module = (root / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', module, re.MULTILINE)
    try:
        repository, published = config["repository"], config["sphinx"]["config"]["published"]
        return Addresses(
            repository=repository["url"].rstrip("/"),
            branch=repository["branch"],
            notebooks_branch=published["notebooks_branch"],
            site=published["site"].rstrip("/") + "/",
            install=published["install"],
            version=version[1] if version else "",
        )
    except (KeyError, TypeError) as error:
        raise AddressError(f"_config.yml lacks the setting {error}.") from error
