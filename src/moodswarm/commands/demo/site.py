"""A web server for the sample site: it serves files by host name, and one git repository.

It is for the demo and its tests only. It listens on 127.0.0.1 and serves one folder.
"""

import gzip
import hashlib
import mimetypes
import re
import subprocess
import threading
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from moodswarm.commands.demo.repository import git_environment

ADDRESS = "127.0.0.1"
CODE_HOST = "code.localhost"
# Links in the site's files have no port; the port in use is added when a file is sent.
_HOSTS = re.compile(rb"(?<=http://)[a-z]+\.localhost(?![:\w])")
_TEXT = ("text/", "application/xml", "application/rss+xml", "application/json")
_GIT_BODY_BYTES = 1024 * 1024


class SiteServer:
    """A context manager that serves the site until it exits.

    Args:
        site: The folder of the site, with a subfolder per host.
        repositories: A folder of bare repositories, which are served on `CODE_HOST`.
        port: The port to listen on; 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, site: Path, repositories: Path, port: int) -> None:
        self._server = ThreadingHTTPServer((ADDRESS, port), partial(_Answer, site, repositories))
        # Otherwise, connections that clients keep open would delay the end.
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="sample-site")
        self.port = self._server.server_port

    def __enter__(self) -> "SiteServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Answer(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Breakwater/4"

    def __init__(self, site: Path, repositories: Path, *arguments: Any) -> None:
        self._site = site
        self._repositories = repositories
        self._port = arguments[-1].server_port
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send a file, or the answer to a request from git."""
        if self._host == CODE_HOST:
            self._send_git()
        else:
            self._send_file()

    def do_HEAD(self) -> None:
        """Send the head of a file."""
        self._send_file()

    def do_POST(self) -> None:
        """Let git fetch, the only request with a body that is allowed."""
        if self._host == CODE_HOST:
            self._send_git()
        else:
            self.send_error(405)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing, as the crawl has its own report."""

    @property
    def _host(self) -> str:
        return self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")

    def _send_file(self) -> None:
        file = self._file()
        if file is None:
            self.send_error(404)
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        body = file.read_bytes()
        if kind.startswith(_TEXT):
            body = _HOSTS.sub(rb"\g<0>:" + str(self._port).encode(), body)
            kind += "; charset=utf-8" if kind.startswith("text/") else ""
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self._send(304, {"ETag": etag}, b"")
            return
        modified = formatdate(file.stat().st_mtime, usegmt=True)
        self._send(200, {"Content-Type": kind, "ETag": etag, "Last-Modified": modified}, body)

    def _file(self) -> Path | None:
        """Return the file that the address names, or None if the site has no such file."""
        path = PurePosixPath(unquote(urlsplit(self.path).path))
        if not re.fullmatch(r"[a-z]+\.localhost", self._host) or ".." in path.parts:
            return None
        file = self._site.joinpath(self._host, *path.parts[1:])
        file = file / "index.html" if file.is_dir() else file
        return file if file.is_file() else None

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_git(self) -> None:
        """Run git's own CGI program, which serves fetches and nothing else."""
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > _GIT_BODY_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        if self.headers.get("Content-Encoding") == "gzip":  # git packs larger requests
            body = gzip.decompress(body)
        done = subprocess.run(
            ("git", "http-backend"),  # noqa: S607
            input=body,
            env={
                **git_environment(),
                "GIT_PROJECT_ROOT": str(self._repositories),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": unquote(parts.path),
                "QUERY_STRING": parts.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
            },
            capture_output=True,
            check=False,
        )
        self._send_cgi(done.stdout)

    def _send_cgi(self, answer: bytes) -> None:
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found:
            self.send_error(500)
            return
        lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
        headers = {name: value for name, _, value in lines}
        status = int(headers.pop("Status", "200").split()[0])
        self._send(status, headers, body)
