"""A small web site on 127.0.0.1 that counts its requests."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urljoin

TEXT = (
    "The engine weaves algebraic patterns just as the loom weaves flowers and leaves. "
    "It has no pretensions to originate anything; it can do whatever we know how to order it "
    "to perform. It can follow analysis, but it has no power of anticipating any truths. "
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The site's answer at one path."""

    body: bytes = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """Answers per host and path; a path without an answer is a 404.

    Attributes:
        address: The address without a host name; `at` returns addresses with one, on the same port.
        asked: How often each address was requested.
        order: The addresses in the order in which they were requested.
        headers: The headers of the last request for each address.
    """

    address: str = ""
    hosts: set[str] = field(default_factory=set)
    answers: dict[str, Answer | Callable[[int], Answer]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def port(self) -> str:
        return self.address.rpartition(":")[2]

    def at(self, name: str) -> str:
        """Return the address of a host with that name."""
        self.hosts.add(name)
        return f"http://{name}:{self.port}"

    def __setitem__(self, url: str, answer: Answer | Callable[[int], Answer] | str) -> None:
        url = url if "://" in url else f"{self.address}{url}"
        self.answers[url] = Answer(answer.encode()) if isinstance(answer, str) else answer

    def answer(self, url: str, headers: dict[str, str]) -> Answer:
        self.asked[url] += 1
        self.order.append(url)
        self.headers[url] = headers
        found = self.answers.get(url, Answer(b"nothing here", 404))
        answer = found(self.asked[url]) if callable(found) else found
        etag = answer.headers.get("ETag")
        if etag and headers.get("If-None-Match") == etag:
            return Answer(status=304, headers=answer.headers)
        return answer


def article(title: str, *, head: str = "", body: str = "", words: str = TEXT) -> str:
    """Return a page that contains an article."""
    paragraphs = "".join(f"<p>{title}: {words}</p>" for _ in range(4))
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title>{head}</head>"
        f"<body><nav><a href='/'>Home</a></nav><main><article><h1>{title}</h1>{paragraphs}"
        f"</article></main>{body}</body></html>"
    )


def feed(address: str, *paths: str, content: str = "") -> Answer:
    """Return an RSS feed with these pages as its entries."""
    whole = f"<content:encoded><![CDATA[{content}]]></content:encoded>" if content else ""
    items = "".join(
        f"<item><title>About {path}</title><link>{urljoin(address, path)}</link>"
        f"<pubDate>Tue, 02 Jan 2024 03:04:05 GMT</pubDate>{whole}</item>"
        for path in paths
    )
    xml = (
        '<?xml version="1.0"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>Notes</title><link>{address}</link>{items}</channel></rss>"
    )
    return Answer(xml.encode(), kind="application/rss+xml")


def sitemap(address: str, *paths: str, index: bool = False) -> Answer:
    """Return a sitemap of these pages, or of these sitemaps."""
    outer, inner = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    entries = "".join(f"<{inner}><loc>{urljoin(address, path)}</loc></{inner}>" for path in paths)
    xml = (
        f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        f"{entries}</{outer}>"
    )
    return Answer(xml.encode(), kind="application/xml")


@contextmanager
def serve() -> Iterator[Site]:
    """Run a site until the block ends."""
    site = Site()

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = f"http://{self.headers['Host']}{self.path}"
            answer = site.answer(url, dict(self.headers.items()))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        server.daemon_threads = True
        site.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
