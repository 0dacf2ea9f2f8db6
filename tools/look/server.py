"""Serves a site on loopback, and tells an open page when there is another version of it."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

STATIC = "/_static/"
VERSION = "/-/version"
WAIT_SECONDS = 20.0
EVERY_SECONDS = 0.2

# The published pages do not have it: it is added to what is served here.
RELOAD = """
<script>
(async () => {
  const seen = "%s";
  const address = "%s?page=" + encodeURIComponent(location.pathname) + "&seen=" + seen;
  for (;;) {
    try {
      if ((await (await fetch(address)).text()) !== seen) location.reload();
    } catch {
      await new Promise((again) => setTimeout(again, 500));
    }
  }
})();
</script>
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site; static ones from where they are written; pages with a script that asks
    for their next version."""

    def __init__(self, *args: object, statics: list[Path], **kwargs: object) -> None:
        self.statics = statics
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with a file, or with the version of a page once it is another."""
        if urlsplit(self.path).path == VERSION:
            self._answer_version()
        else:
            super().do_GET()

    def send_head(self) -> BinaryIO | io.BytesIO | None:
        """Headers of a file, and what is sent after them."""
        path = Path(self.translate_path(self.path))
        if path.is_dir() and urlsplit(self.path).path.endswith("/"):
            path = path / "index.html"
        if path.suffix != ".html" or not path.is_file():
            return super().send_head()
        added = RELOAD % (version(path, self.statics), VERSION)
        body = path.read_bytes() + added.encode()
        self._headers("text/html; charset=utf-8", len(body))
        return io.BytesIO(body)

    def translate_path(self, path: str) -> str:
        """Where the file behind an address lies."""
        name = unquote(urlsplit(path).path)
        if name.startswith(STATIC):
            for folder in self.statics:
                found = (folder / name.removeprefix(STATIC)).resolve()
                if found.is_file() and found.is_relative_to(folder.resolve()):
                    return str(found)
        return super().translate_path(path)

    def end_headers(self) -> None:
        """Let no browser keep a file: it may be another at once."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print no line for each request."""

    def _answer_version(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        page, seen = (asked.get(name, [""])[0] for name in ("page", "seen"))
        path = Path(super().translate_path(page))
        path = path / "index.html" if path.is_dir() else path
        end = time.monotonic() + WAIT_SECONDS
        while (now := version(path, self.statics)) == seen and time.monotonic() < end:
            time.sleep(EVERY_SECONDS)
        body = now.encode()
        self._headers("text/plain", len(body))
        self.wfile.write(body)

    def _headers(self, kind: str, length: int) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def version(page: Path, statics: list[Path]) -> str:
    """What stands for a page and the static files as they are now."""
    try:
        found = hashlib.sha256(page.read_bytes())
    except OSError:
        return "gone"
    files = sorted(path for folder in statics for path in folder.rglob("*") if path.is_file())
    for path in files:
        found.update(f"{path} {path.stat().st_mtime_ns}".encode())
    return found.hexdigest()


def start(site: Path, statics: list[Path], port: int) -> str:
    """Serve in the background until this process ends; give the address."""
    handler = functools.partial(Handler, directory=str(site), statics=statics)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"
