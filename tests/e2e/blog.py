"""A blog on this machine that a test can change while it is crawled."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_SENTENCES = (
    "The tide table hangs beside the kettle.",
    "Salt dries on the sill and leaves a map.",
    "A chisel wants a flat stone and patience.",
    "The ferry is late when the wind turns north.",
    "Green tea forgives nothing, black tea everything.",
    "He wrote the weather down before he wrote the date.",
)


def post_text(number: int, edition: int = 0) -> str:
    """Return the text of a post, which differs for each number and edition."""
    start = number + edition
    paragraphs = [
        f"Part {part} of letter {number}, edition {edition}. "
        + " ".join(_SENTENCES[(start + part + step) % len(_SENTENCES)] for step in range(5))
        for part in range(4)
    ]
    return "\n\n".join(paragraphs)


class Blog:
    """The pages that the server shows, and counts of the requests that it got.

    Attributes:
        posts: Texts by number; a test removes or changes entries to remove or change posts.
        failing: Numbers of posts that answer with a server error.
        asked: Number of requests by path.
        complete: Number of complete answers (neither 304 nor an error) by path.
        delay: Seconds to wait before each answer.
    """

    def __init__(self, posts: int) -> None:
        self.posts = {number: post_text(number) for number in range(posts)}
        self.failing: set[int] = set()
        self.asked: Counter[str] = Counter()
        self.complete: Counter[str] = Counter()
        self.delay = 0.0
        self.address = ""

    def link(self, number: int) -> str:
        """Return the address of a post."""
        return f"{self.address}/letters/{number}"

    @property
    def feed(self) -> str:
        """Return the address of the feed."""
        return f"{self.address}/feed.xml"

    def parameters(self, **author: Any) -> dict[str, Any]:
        """Return `crawl:` parameters for crawling the feed."""
        mira = {"full_name": "Mira Solano", "content_is_mine": True, "links": [self.feed]}
        return {
            "authors": [{**mira, **author}],
            "egress": {"allow": [self.address.removeprefix("http://")]},
            "manners": {"delay_seconds": 0, "requests_at_once_per_domain": 8, "retries": 0},
            "extraction": {"processes": 1},
            "browser": {"use": "never"},
        }

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return the status, content type and body of the answer for a path."""
        if path == "/feed.xml":
            return 200, "application/rss+xml", self._feed().encode()
        number = path.rpartition("/")[2]
        if not path.startswith("/letters/") or int(number) not in self.posts:
            return 404, "text/html", b"<h1>Not found</h1>"
        if int(number) in self.failing:
            return 500, "text/html", b"<h1>Broken</h1>"
        return 200, "text/html; charset=utf-8", self._page(int(number)).encode()

    def _feed(self) -> str:
        items = "".join(
            f"<item><title>Letter {n}</title><link>{self.link(n)}</link></item>"
            for n in sorted(self.posts)
        )
        return (
            '<?xml version="1.0"?><rss version="2.0"><channel><title>Letters</title>'
            f"<link>{self.address}/</link><description>x</description>{items}</channel></rss>"
        )

    def _page(self, number: int) -> str:
        body = "".join(f"<p>{part}</p>" for part in self.posts[number].split("\n\n"))
        return (
            f"<!doctype html><html lang=en><head><title>Letter {number}</title></head><body>"
            "<nav><a href=/>Home</a> <a href=/about>About</a></nav>"
            f"<main><article><h1>Letter {number}</h1>{body}</article></main>"
            "<footer>Subscribe to the letters</footer></body></html>"
        )


@contextmanager
def serve_blog(posts: int = 8) -> Iterator[Blog]:
    """Serve a blog on its own port."""
    blog = Blog(posts)

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            blog.asked[self.path] += 1
            if blog.delay:
                threading.Event().wait(blog.delay)
            status, kind, body = blog.answer(self.path)
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if status == 200 and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            blog.complete[self.path] += status == 200
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    blog.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield blog
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
