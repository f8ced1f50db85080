"""The server of the sample site: files by host, and a repository that is the same everywhere."""

import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from moodswarm.commands.demo.repository import git_environment, make_repository
from moodswarm.commands.demo.site import ADDRESS, SiteServer

SITE = Path(__file__).parents[2] / "data/01_raw/sample_site"
PAGE = "/notes/a-queue-is-a-promise/"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SiteServer]:
    make_repository(SITE / "repository", tmp_path / "seedlabel.git")
    with SiteServer(SITE, tmp_path, 0) as serving:
        yield serving


def ask(
    server: SiteServer, host: str, path: str, method: str = "GET", **headers: str
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection(ADDRESS, server.port, timeout=10)
    connection.request(method, path, headers={"Host": f"{host}:{server.port}", **headers})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def commit(repository: Path) -> str:
    command = ("git", "--git-dir", str(repository), "rev-parse", "HEAD")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_links_of_a_page_hold_the_port(server: SiteServer) -> None:
    response, body = ask(server, "mira.localhost", PAGE)
    assert response.status == 200
    assert f'href="http://mira.localhost:{server.port}{PAGE}"' in body
    assert "localhost/" not in body


def test_each_host_has_its_own_files(server: SiteServer) -> None:
    assert ask(server, "letters.localhost", "/p/the-bean-trench")[0].status == 200
    assert ask(server, "mira.localhost", "/p/the-bean-trench")[0].status == 404
    assert ask(server, "elsewhere.localhost", "/")[0].status == 404


def test_what_is_known_is_not_sent_again(server: SiteServer) -> None:
    first, _ = ask(server, "mira.localhost", PAGE)
    etag = {"If-None-Match": first.headers["ETag"]}
    again, body = ask(server, "mira.localhost", PAGE, **etag)
    assert (again.status, body) == (304, "")


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("mira.localhost", "/../README.md"),
        ("mira.localhost", "/%2e%2e/README.md"),
        ("mira.localhost", "//etc/hosts"),
        ("..", "/README.md"),
        ("repository", "/README.md"),
    ],
)
def test_nothing_but_the_site_is_served(server: SiteServer, host: str, path: str) -> None:
    assert ask(server, host, path)[0].status == 404


def test_the_site_takes_no_data(server: SiteServer) -> None:
    assert ask(server, "mira.localhost", PAGE, "POST")[0].status == 405


def test_the_feed_names_a_page_that_is_gone(server: SiteServer) -> None:
    _, feed = ask(server, "mira.localhost", "/feed.xml")
    assert "/notes/a-lamp-for-comma/" in feed
    assert ask(server, "mira.localhost", "/notes/a-lamp-for-comma/")[0].status == 404


def test_the_repository_is_served_with_a_commit_that_never_changes(
    server: SiteServer, tmp_path: Path
) -> None:
    make_repository(SITE / "repository", tmp_path / "again.git")
    header = f"http.extraHeader=Host: code.localhost:{server.port}"
    address = f"http://{ADDRESS}:{server.port}/seedlabel.git"
    command = ("git", "-c", header, "clone", "--quiet", "--bare", "--depth=1", address)
    subprocess.run((*command, str(tmp_path / "clone.git")), env=git_environment(), check=True)
    assert commit(tmp_path / "clone.git") == commit(tmp_path / "again.git")


def test_nobody_can_push(server: SiteServer) -> None:
    push = "/seedlabel.git/info/refs?service=git-receive-pack"
    assert ask(server, "code.localhost", push)[0].status == 403
