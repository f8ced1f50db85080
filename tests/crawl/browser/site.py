"""A small web site on 127.0.0.1 whose pages need JavaScript, misbehave, or both."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHOWN = "the kettle sings"
_SHOW = "const p = document.createElement('p'); p.textContent = {text}; document.body.append(p);"


def script(source: str, body: str = "") -> str:
    return f"<!doctype html><title>t</title><body>{body}<script>{source}</script></body>"


def show(text: str = f"'{SHOWN}'") -> str:
    """Return JavaScript that adds a paragraph; `text` is a JavaScript expression for its text."""
    return "{" + _SHOW.replace("{text}", text) + "}"


PAGES = {
    "/script": script(show()),
    "/agent": script(show("navigator.userAgent")),
    "/late": script(f"fetch('/data?wait=1.5').then(r => r.text()).then(t => {show('t')})"),
    "/listening": script(f"fetch('/endless'); setTimeout(() => {show()}, 300)"),
    "/grow": script(
        "let n = 0; const more = () => { if (n >= 4) return; n += 1;"
        "const d = document.createElement('div'); d.style.height = '3000px';"
        "d.textContent = 'part ' + n; document.body.append(d); };"
        "more(); addEventListener('scroll', () => setTimeout(more, 50));"
    ),
    "/boundless": script(
        "let n = 0; const more = () => { n += 1; const d = document.createElement('div');"
        "d.style.height = '3000px'; d.textContent = 'part ' + n + ';'; document.body.append(d); };"
        "more(); addEventListener('scroll', more);"
    ),
    "/busy": script("while (true) {}", "before"),
    "/prompts": script(f"alert('a'); confirm('b'); prompt('c'); print(); {show()}"),
    "/framed-prompts": script(show(), "<iframe srcdoc='<script>alert(1)</script>'></iframe>"),
    "/big": script("document.body.innerHTML = '<p hidden>' + 'x'.repeat(2e6) + '</p>'"),
    "/greedy": script(
        "const a = []; setInterval(() => { a.push(new Uint8Array(5e7).fill(1));"
        "document.body.append(a.length); }, 100)"
    ),
    "/away": script("setTimeout(() => { location.href = '/script' }, 200)", "first page"),
    "/windows": script("for (let n = 0; n < 3; n++) window.open('/script');" + show()),
    "/remember": script(
        "const seen = [localStorage.seen, sessionStorage.seen, document.cookie, window.name];"
        "localStorage.seen = sessionStorage.seen = window.name = 'x';"
        "document.cookie = 'seen=x; max-age=999';"
        + show("'before: ' + seen.filter(Boolean).length")
    ),
    "/tampered": script(
        "Object.defineProperty(document, 'contentType', {value: 'image/png'});"
        "JSON.stringify = () => 'x'.repeat(50e6); performance.getEntriesByType = () => [];"
        "Object.prototype.toJSON = () => 'x'.repeat(50e6);" + show()
    ),
    "/images": script(show(), "<img src='/image.png' alt='a kettle'><video src='/v.mp4'></video>"),
    "/escape": script(
        "const there = 'CANARY';"
        "document.body.insertAdjacentHTML('beforeend',"
        " `<iframe src='file:///etc/passwd'></iframe><iframe src='${there}/frame'></iframe>"
        "<img src='${there}/image'><link rel=prefetch href='${there}/prefetch'>"
        "<link rel=stylesheet href='${there}/style'>`);"
        "window.open(there + '/window'); navigator.sendBeacon(there + '/beacon', 'x');"
        "new WebSocket(there.replace('http', 'ws') + '/socket'); new EventSource(there + '/news');"
        "new Worker(URL.createObjectURL(new Blob([`fetch('${there}/worker')`])));"
        "const peer = new RTCPeerConnection({iceServers: [{urls: 'stun:' + there.slice(7)}]});"
        "peer.createDataChannel('x'); peer.createOffer().then(o => peer.setLocalDescription(o));"
        "fetch(there + '/fetch', {mode: 'no-cors'})"
        ".then(() => fetch(there.replace('127.0.0.1', 'localhost') + '/name', {mode: 'no-cors'}))"
        ".then(r => r, e => e).then(() => " + show() + ")"
    ),
    "/surrogate": script(show("'\\\\ud800 half'")),
}


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        path, _, query = self.path.partition("?")
        with suppress(BrokenPipeError, ConnectionResetError):
            if query.startswith("wait="):
                self.server.stopping.wait(float(query[5:]))
            self._answer(path)

    def _answer(self, path: str) -> None:
        if path in self.server.pages:
            self._send(200, self.server.pages[path].encode())
        elif path.startswith("/status/"):
            self._send(int(path[8:]), script(show()).encode())
        elif path == "/busy-now":
            self._send(503, b"come back later", "text/plain")
        elif path == "/nothing":
            self._send(204, b"")
        elif path == "/data":
            self._send(200, SHOWN.encode(), "text/plain")
        elif path == "/json":
            self._send(200, json.dumps({"a": 1}).encode(), "application/json")
        elif path == "/download":
            self._send(200, b"PK", "application/zip", [("Content-Disposition", "attachment")])
        elif path == "/endless":
            self._endless()
        elif path.startswith("/redirect/"):
            self._send(302, b"", extra=[("Location", path.removeprefix("/redirect/"))])
        else:
            self._send(404, b"none")

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "text/html; charset=utf-8",
        extra: list[tuple[str, str]] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in [("Content-Type", kind), *(extra or [])]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        while not self.server.stopping.is_set():
            self.wfile.write(b"<p>and so on")
            time.sleep(0.05)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, pages: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.pages = pages
        self.asked: list[str] = []
        self.stopping = threading.Event()


class Site:
    """A running server.

    Attributes:
        asked: Paths in the order in which they were requested.
    """

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.asked = server.asked
        self.pages = server.pages
        self.port = server.server_port

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serve() -> Iterator[Site]:
    server = _Server(dict(PAGES))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Site(server)
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
