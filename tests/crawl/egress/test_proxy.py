"""The proxy reaches only what the policy allows, and keeps each connection within its limits."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from crawl.hostile import HostileWeb
from moodswarm.crawl.egress.lookup import CachedLookup
from moodswarm.crawl.egress.policy import EgressPolicy, Target
from moodswarm.crawl.egress.proxy import EgressProxy


@pytest.fixture(scope="module")
def web() -> Iterator[HostileWeb]:
    with HostileWeb() as served:
        yield served


@pytest.fixture(scope="module")
def proxy(web: HostileWeb) -> Iterator[EgressProxy]:
    with EgressProxy(EgressPolicy.from_spec(web.egress())) as opened:
        yield opened


@dataclass(frozen=True)
class Echo:
    """A server that records what it receives, and sends one response per connection."""

    port: int
    received: list[bytes]


@contextmanager
def echo(answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") -> Iterator[Echo]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        received: list[bytes] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    received.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Echo(server.getsockname()[1], received)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def say(proxy: EgressProxy, data: bytes) -> bytes:
    """Send bytes to the proxy and return its whole answer."""
    port = urlsplit(proxy.url).port
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
        client.sendall(data)
        answer = b""
        try:
            while piece := client.recv(65536):
                answer += piece
        except ConnectionResetError:
            answer += b"<reset>"
        return answer


def get(proxy: EgressProxy, url: str) -> tuple[int, bytes]:
    parts = urlsplit(proxy.url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)) as asked:
        asked.request("GET", url)
        answer = asked.getresponse()
        return answer.status, answer.read()


def tunnel(proxy: EgressProxy, target: str) -> bytes:
    return say(proxy, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())


def allowing(*entries: str) -> EgressPolicy:
    """Return a policy that allows these `host:port`; every name resolves to 127.0.0.1."""
    allow = frozenset(
        Target(host, int(port)) for host, _, port in (entry.rpartition(":") for entry in entries)
    )
    return EgressPolicy(allow=allow, lookup=CachedLookup(lambda host: ["127.0.0.1"]))


def test_an_allowed_page_comes_through(web: HostileWeb, proxy: EgressProxy) -> None:
    status, body = get(proxy, web.url("articles", "/article/1"))
    assert (status, b"articles 1" in body) == (200, True)


def test_an_allowed_tunnel_carries_both_ways(web: HostileWeb, proxy: EgressProxy) -> None:
    host = f"articles.test:{web.port}"
    request = f"GET /article/2 HTTP/1.1\r\nHost: {host}\r\n\r\n"
    answer = say(proxy, f"CONNECT {host} HTTP/1.1\r\n\r\n{request}".encode())
    assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200")
    assert b"articles 2" in answer


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "private.test", "2130706433", "[::1]"])
def test_the_canary_is_never_asked(web: HostileWeb, proxy: EgressProxy, host: str) -> None:
    status, body = get(proxy, f"http://{host}:{web.canary_port}/")
    assert (status, b"is not public (loopback address)" in body) == (403, True)
    assert tunnel(proxy, f"{host}:{web.canary_port}").startswith(b"HTTP/1.1 403")
    assert web.canary_connections == 0


def test_metadata_and_other_services_are_refused(proxy: EgressProxy) -> None:
    assert get(proxy, "http://169.254.169.254/latest/meta-data/")[0] == 403
    assert tunnel(proxy, "example.org:22").startswith(b"HTTP/1.1 403")


def test_a_page_is_not_reached_by_its_address_when_its_name_is_allowed(
    web: HostileWeb, proxy: EgressProxy
) -> None:
    assert get(proxy, f"http://127.0.0.1:{web.port}/")[0] == 403


def test_why_a_tunnel_was_refused_can_be_asked(web: HostileWeb, proxy: EgressProxy) -> None:
    url = f"https://private.test:{web.canary_port}/"
    tunnel(proxy, f"private.test:{web.canary_port}")
    assert "private.test is not public" in (proxy.refusal(url) or "")
    assert proxy.refusal(web.url("articles")) is None


def test_a_name_that_changes_its_address_is_judged_for_each_connection() -> None:
    with echo() as private:
        answers = iter([["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]])
        # Each lookup returns the next answer; only 127.0.0.1 is allowed.
        rules = EgressPolicy(
            allow=frozenset({Target("127.0.0.1", private.port)}),
            lookup=CachedLookup(lambda host: next(answers), seconds=0),
        )
        with EgressProxy(rules) as proxy:
            statuses = [get(proxy, f"http://turns.test:{private.port}/")[0] for _ in range(3)]
    assert statuses == [200, 200, 403]
    assert len(private.received) == 2


def test_the_address_decides_and_not_the_host_field() -> None:
    with echo() as server, EgressProxy(allowing(f"a.test:{server.port}")) as proxy:
        say(proxy, f"GET http://a.test:{server.port}/x?y HTTP/1.1\r\nHost: b.test\r\n\r\n".encode())
    (request,) = server.received
    assert request.startswith(b"GET /x?y HTTP/1.1\r\nHost: a.test:%d\r\n" % server.port)
    assert b"b.test" not in request


def test_a_second_request_on_the_connection_is_not_passed_on() -> None:
    with echo() as server, EgressProxy(allowing(f"a.test:{server.port}")) as proxy:
        first = f"POST http://a.test:{server.port}/1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
        second = "GET http://127.0.0.1:1/2 HTTP/1.1\r\n\r\n"
        answer = say(proxy, (first + second).encode())
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answer
    assert b"127.0.0.1" not in b"".join(server.received)


def test_fields_of_one_connection_are_not_passed_on() -> None:
    with echo() as server, EgressProxy(allowing(f"a.test:{server.port}")) as proxy:
        fields = (
            "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nProxy-Authorization: Basic c2VjcmV0\r\n"
            "Proxy-Connection: keep-alive\r\nUpgrade: websocket\r\nAccept: text/html\r\n"
        )
        say(proxy, f"GET http://a.test:{server.port}/ HTTP/1.1\r\n{fields}\r\n".encode())
    (request,) = server.received
    names = {line.partition(b":")[0] for line in request.split(b"\r\n")[1:] if line}
    assert names == {b"Host", b"Accept", b"Connection"}
    assert b"Connection: close\r\n" in request


@pytest.mark.parametrize("request_head", [
    "GET / HTTP/1.1\r\nHost: example.org",
    "GET https://example.org/ HTTP/1.1",
    "GET http:// HTTP/1.1",
    "GET file:///etc/passwd HTTP/1.1",
    "CONNECT example.org HTTP/1.1",
    "CONNECT example.org:443/x HTTP/1.1",
    "GET  http://example.org/ HTTP/1.1",
    "GET http://example.org/ HTTP/2.0",
    "GET http://example.org/\tx HTTP/1.1",
    "get http://example.org/ HTTP/1.1",
    "POST http://example.org/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
    "POST http://example.org/ HTTP/1.1\r\nContent-Length: +1",
    "POST http://example.org/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    "GET http://example.org/ HTTP/1.1\r\n folded: line",
    "GET http://example.org/ HTTP/1.1\r\nA : b",
    "GET http://example.org/ HTTP/1.1\r\nA: b\nX: y",
    "GET http://example.org/ HTTP/1.1\r\nX: " + "y" * 70_000,
    "\x16\x03\x01 not http",
])  # fmt: skip
def test_a_request_that_is_not_clear_is_refused(proxy: EgressProxy, request_head: str) -> None:
    answer = say(proxy, f"{request_head}\r\n\r\n".encode("latin-1"))
    assert answer.startswith((b"HTTP/1.1 400", b"<reset>"))


@pytest.mark.parametrize("authority", ["me:secret@example.org", "a@127.0.0.1"])
def test_a_password_is_refused_and_not_shown(proxy: EgressProxy, authority: str) -> None:
    status, body = get(proxy, f"http://{authority}/")
    assert (status, b"secret" in body) == (403, False)


def test_an_unreachable_server_is_not_a_refusal(proxy: EgressProxy) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with EgressProxy(allowing(f"gone.test:{port}")) as other:
        assert get(other, f"http://gone.test:{port}/")[0] == 502


def test_a_changed_protocol_is_not_passed_on() -> None:
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    with echo(answer) as server, EgressProxy(allowing(f"a.test:{server.port}")) as proxy:
        assert get(proxy, f"http://a.test:{server.port}/")[0] == 502


def test_an_endless_body_ends_at_the_limit(web: HostileWeb) -> None:
    with EgressProxy(EgressPolicy.from_spec(web.egress()), max_bytes=1_000_000) as proxy:
        request = f"GET {web.url('endless-body')} HTTP/1.1\r\n\r\n".encode()
        answer = say(proxy, request)
    assert 100_000 < len(answer) < 1_100_000
    assert answer.endswith(b"<reset>")  # a clean end would look like a complete answer


def test_a_dripping_body_ends_at_the_time_limit(web: HostileWeb) -> None:
    with EgressProxy(EgressPolicy.from_spec(web.egress()), max_seconds=1.0) as proxy:
        answer = say(proxy, f"GET {web.url('slow-body')} HTTP/1.1\r\n\r\n".encode())
    assert answer.endswith(b"<reset>")


@pytest.mark.parametrize("name", ["hangs", "slow-headers"])
def test_a_server_that_does_not_answer_is_given_up(web: HostileWeb, name: str) -> None:
    limits = {"idle_seconds": 0.5, "max_seconds": 1.0}
    with EgressProxy(EgressPolicy.from_spec(web.egress()), **limits) as proxy:
        assert get(proxy, web.url(name))[0] == 504


def test_a_head_without_an_end_is_cut_off(web: HostileWeb, proxy: EgressProxy) -> None:
    assert get(proxy, web.url("header-bomb"))[0] == 502


def test_a_client_that_does_not_finish_its_head_is_dropped(web: HostileWeb) -> None:
    with EgressProxy(EgressPolicy.from_spec(web.egress()), connect_seconds=0.3) as proxy:
        assert say(proxy, b"GET http://articles.test").startswith(b"HTTP/1.1 504")


def test_connections_over_the_limit_get_a_reason(web: HostileWeb) -> None:
    with EgressProxy(EgressPolicy.from_spec(web.egress()), max_connections=1) as proxy:
        port = urlsplit(proxy.url).port
        with closing(socket.create_connection(("127.0.0.1", port))) as waiting:
            waiting.sendall(f"GET {web.url('hangs')} HTTP/1.1\r\n\r\n".encode())
            while not web.hits["hangs.test/"]:
                pass
            assert say(proxy, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503")


def test_closing_ends_open_connections(web: HostileWeb) -> None:
    with EgressProxy(EgressPolicy.from_spec(web.egress())) as proxy:
        client = socket.create_connection(("127.0.0.1", urlsplit(proxy.url).port or 0), timeout=20)
        client.sendall(f"CONNECT hangs.test:{web.port} HTTP/1.1\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    with closing(client), pytest.raises(ConnectionResetError, match="reset"):
        client.recv(1000)


def test_a_slow_lookup_does_not_hold_others(web: HostileWeb) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(host: str) -> list[str]:
        asked.set()
        answer.wait(20)
        return ["127.0.0.1"]

    spec = web.egress()
    with EgressProxy(EgressPolicy.from_spec(spec, slow)) as proxy:
        waiting = threading.Thread(target=tunnel, args=(proxy, "slow.example:443"))
        waiting.start()
        assert asked.wait(20)
        assert get(proxy, web.url("articles"))[0] == 200
        answer.set()
        waiting.join()


def test_many_at_once_all_arrive(web: HostileWeb, proxy: EgressProxy) -> None:
    async def all_of_them() -> list[tuple[int, bytes]]:
        pages = [web.url("articles", f"/article/{n}") for n in range(40)]
        return await asyncio.gather(*(asyncio.to_thread(get, proxy, page) for page in pages))

    answers = asyncio.run(all_of_them())
    assert [status for status, _ in answers] == [200] * 40
    assert all(f"articles {n} ".encode() in body for n, (_, body) in enumerate(answers))
