"""With the guard, Scrapy connects only to judged addresses, whatever its requests say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawl.hostile import HostileWeb

FETCH = Path(__file__).with_name("fetch.py")
Answers = dict[str, list[str]]

REDIRECTS = {
    "redirect-loopback": "address",
    "redirect-localhost": "address",
    "redirect-decimal": "address",
    "redirect-mapped": "address",
    "redirect-name": "address",
    "redirect-metadata": "address",
    "redirect-password": "userinfo",
    # Scrapy's robots.txt middleware gets no rules here, so everything is allowed.
    "robots-to-canary": "200",
}


@pytest.fixture(scope="module")
def web() -> Iterator[HostileWeb]:
    with HostileWeb() as served:
        yield served


def fetch(web: HostileWeb, urls: list[str], **asking: Any) -> dict[str, Any]:
    environment = {**os.environ, **asking.pop("environment", {})}
    asked = {"urls": urls, "egress": web.egress().model_dump(), **asking}
    ended = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(FETCH), json.dumps(asked)],
        capture_output=True, check=False, env=environment, text=True, timeout=100,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def answers(web: HostileWeb) -> Answers:
    """Return the answers of a crawl over good and refused addresses.

    Environment variables name the canary as the proxy.
    """
    port = web.canary_port
    urls = [web.url(name) for name in ("articles", *REDIRECTS)]
    urls += [
        web.url("articles").replace(".test", ".test."),
        f"http://127.0.0.1:{port}/", f"http://[::1]:{port}/", f"http://2130706433:{port}/",
        f"http://localhost:{port}/", f"http://private.test:{port}/",
        "http://me:secret@articles.test/", "file:///etc/passwd", "data:text/html,x",
        "ftp://articles.test/", "http://articles.test:25/", "http://no-such-name.invalid/",
    ]  # fmt: skip
    canary = f"http://127.0.0.1:{port}"
    environment = {"http_proxy": canary, "https_proxy": canary, "all_proxy": canary}
    proxied = web.url("articles", "/article/1")
    asking = {"proxied": [proxied], "proxy": canary, "environment": environment}
    return fetch(web, [*urls, proxied], **asking)["answers"]


def test_an_allowed_page_arrives_from_the_judged_address(web: HostileWeb, answers: Answers) -> None:
    assert answers[web.url("articles")] == ["200", "127.0.0.1"]
    assert answers[web.url("articles").replace(".test", ".test.")] == ["200", "127.0.0.1"]


@pytest.mark.parametrize(("name", "outcome"), REDIRECTS.items())
def test_a_redirect_is_judged(web: HostileWeb, answers: Answers, name: str, outcome: str) -> None:
    assert answers[web.url(name)][0] == outcome


def test_the_canary_never_had_a_connection(web: HostileWeb, answers: Answers) -> None:
    private = {url: said for url, said in answers.items() if f":{web.canary_port}/" in url}
    assert len(private) == 5
    assert {said[0] for said in private.values()} == {"address"}
    assert web.canary_connections == 0


@pytest.mark.parametrize(("url", "reason"), [
    ("http://me:secret@articles.test/", "userinfo"), ("file:///etc/passwd", "scheme"),
    ("data:text/html,x", "scheme"), ("ftp://articles.test/", "scheme"),
    ("http://articles.test:25/", "port"),
    ("http://no-such-name.invalid/", "CannotResolveHostError"),
])  # fmt: skip
def test_a_refusal_says_what_is_wrong(answers: Answers, url: str, reason: str) -> None:
    assert answers[url][0] == reason
    assert "secret" not in answers[url][1]


def test_a_refused_site_is_not_asked_for_its_robots_txt(web: HostileWeb, answers: Answers) -> None:
    assert answers
    assert web.hits["private.test/robots.txt"] == 0


def test_a_request_that_names_a_proxy_is_refused(web: HostileWeb, answers: Answers) -> None:
    assert answers[web.url("articles", "/article/1")][0] == "proxy"


def test_an_answer_that_turns_private_before_the_connection_is_refused(web: HostileWeb) -> None:
    turns, slow = (f"http://{name}.test:{web.canary_port}/" for name in ("turns", "slow"))
    settings = {"ROBOTSTXT_OBEY": False}
    told = fetch(web, [turns, slow, web.url("articles")], turning=True, settings=settings)
    assert (
        told["asked"].count("turns.test") == 2
    )  # judged first by the middleware, and again when connecting
    assert told["answers"][turns][0] == "address"
    assert list(told["answers"])[-1] == slow  # a slow lookup stops no other request
    assert web.canary_connections == 0


def test_a_lookup_without_an_answer_is_given_up(web: HostileWeb) -> None:
    slow = f"http://slow.test:{web.canary_port}/"
    told = fetch(web, [slow], turning=True, settings={"DNS_TIMEOUT": 0.2})
    assert told["answers"][slow] == ["CannotResolveHostError", "no answer for slow.test in 0.2 s"]


def test_without_the_middleware_nothing_private_is_reached_either(web: HostileWeb) -> None:
    proxied, canary = web.url("articles"), f"http://127.0.0.1:{web.canary_port}"
    private = [f"{scheme}://localhost:{web.canary_port}/" for scheme in ("http", "https")]
    urls = [*private, web.url("redirect-name"), proxied]
    told = fetch(
        web, urls, proxied=[proxied], proxy=canary, settings={"DOWNLOADER_MIDDLEWARES": {}}
    )
    reasons = [told["answers"][url][0] for url in urls]
    assert reasons == ["address", "address", "address", "proxy"]
    assert web.canary_connections == 0


def test_a_download_that_goes_around_the_guard_stops_the_crawl(web: HostileWeb) -> None:
    stock = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
    told = fetch(web, [web.url("articles")], settings={"DOWNLOAD_HANDLERS": {"https": stock}})
    assert "go around the egress guard" in told["answers"]["error"]


def test_another_resolver_stops_the_crawl(web: HostileWeb) -> None:
    settings = {"TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingThreadedResolver"}
    told = fetch(web, [web.url("articles")], settings=settings)
    assert "the egress resolver is not installed" in json.dumps(told["answers"])
    assert "200" not in json.dumps(told["answers"])
