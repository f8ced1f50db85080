"""A git server on 127.0.0.1: serves a folder of repositories over HTTP with `git http-backend`.

The server can also misbehave: hang, answer garbage, redirect, ask for a password. It can be used as
a proxy as well (for absolute addresses) and then serves the same repositories, so that a test can
see which requests go through the proxy.
"""

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Behaviour = Literal[
    "serve", "hang", "hang_in_pack", "garbage", "garbage_in_pack", "html", "password", "redirect",
    "error", "shouting",
]  # fmt: skip


_MOVED = "/moved"
_PACK_OF_NOISE = b"000dpackfile\n" + b"0105\x01PACK\0\0\0\2\0\0\0\1" + b"\x93" * 244 + b"0000"


def git(*arguments: str, folder: Path, stdin: bytes = b"") -> bytes:
    """Run git to build a repository, at a fixed time and under a fixed name."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_COMMITTER_DATE": "1700000000 +0000",
    }
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        check=True,
    ).stdout


class GitServer:
    """The server's behaviour, which a test can set, and its counts, which a test can check.

    Attributes:
        folder: Holds bare repositories, `name.git`.
        behaviour: How the next requests are answered.
        target: Origin that `redirect` points to; the path there begins with `/moved`.
        filters: Whether the server allows clones to leave out large files.
        hits: The number of requests for each method and path.
        fetches: How often objects were requested.
        authorized: Authorization headers that were seen.
        hosts: Host headers that were seen.
        release: An event that ends the requests that hang.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.behaviour: Behaviour = "serve"
        self.target = ""
        self.filters = True
        self.authorized: set[str] = set()
        self.fetches = 0
        self.hits: Counter[str] = Counter()
        self.hosts: set[str] = set()
        self.release = threading.Event()
        self.hanging = threading.Event()
        self.port = 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve_git(folder: Path) -> Iterator[GitServer]:
    """Serve the repositories of a folder until the block ends."""
    state = GitServer(folder)

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_state: GitServer
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Log nothing, to keep the output of the tests clean."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def _answer(self, body: bytes) -> None:
        state, parts = self.server_state, urlsplit(self.path)
        state.hits[f"{self.command} {parts.path}"] += 1
        state.hosts.add(self.headers.get("Host", ""))
        state.authorized.update(self.headers.get_all("Authorization", []))
        fetches = self.command == "POST" and b"command=fetch" in body
        state.fetches += fetches
        if state.behaviour == "hang" or (state.behaviour == "hang_in_pack" and fetches):
            self._hang()
        elif state.behaviour == "garbage":
            self._send(200, "application/x-git-upload-pack-advertisement", os.urandom(4096))
        elif state.behaviour == "garbage_in_pack" and fetches:
            self._send(200, "application/x-git-upload-pack-result", _PACK_OF_NOISE)
        elif state.behaviour == "error":
            self._send(503, "text/plain", b"sesame")
        elif state.behaviour == "shouting":
            self._send(200, "application/x-git-upload-pack-advertisement", b"ERR \x1b[2J sesame")
        elif state.behaviour == "html":
            self._send(200, "text/html", b"<html>Welcome</html>")
        elif state.behaviour == "password":
            self._send(401, "text/plain", b"", {"WWW-Authenticate": 'Basic realm="private"'})
        elif state.behaviour == "redirect" and not parts.path.startswith(_MOVED):
            where = f"{state.target}{_MOVED}{parts.path}?{parts.query}"
            self._send(301, "text/plain", b"", {"Location": where})
        else:
            self._backend(parts.path.removeprefix(_MOVED), parts.query, body)

    def _hang(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-result")
        self.end_headers()
        self.server_state.hanging.set()
        self.server_state.release.wait(60)

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _backend(self, path: str, query: str, body: bytes) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
            "GIT_CONFIG_VALUE_0": str(self.server_state.filters).lower(),
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
            "GIT_PROJECT_ROOT": str(self.server_state.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        answer = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
        ).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        self._send(status, headers.pop("Content-Type", "text/plain"), content, headers)
