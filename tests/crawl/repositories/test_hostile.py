"""Malicious servers and repositories are refused with a reason, and leave nothing running."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crawl.git_server import Behaviour, GitServer, serve_git
from crawl.repositories.building import FILE, RawRepository, publish
from moodswarm.crawl.repositories import RepositoryError, head_commit, open_repository
from moodswarm.crawl.spec import Repositories

LIMITS = Repositories(seconds=30)


def read(url: str, work: Path, limits: Repositories = LIMITS, proxy: str | None = None) -> set[str]:
    with open_repository(url, limits=limits, folder=work, proxy=proxy) as repository:
        return {file.path for file in repository.files()}


def running(url: str) -> list[str]:
    """Return the command lines of running git processes that contain a certain address.

    The port of the address makes it unique.
    """
    lines = subprocess.run(
        ["ps", "-eww", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [line for line in lines if url in line and "git" in line.split()[0]]


# --- servers ---


@pytest.mark.parametrize("behaviour", ["hang", "hang_in_pack"])
def test_a_server_that_hangs_is_left_in_time(
    server: GitServer, work: Path, behaviour: Behaviour
) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    server.behaviour = behaviour
    with pytest.raises(RepositoryError, match="timeout: took more than 1 seconds"):
        read(server.url("code.git"), work, Repositories(seconds=1))
    assert server.hanging.is_set()
    assert not running(server.url("code.git"))
    assert not any(work.iterdir())


def test_a_crawl_that_ends_does_not_wait(server: GitServer, work: Path) -> None:
    server.behaviour = "hang"
    cancelled = threading.Event()
    threading.Thread(target=lambda: server.hanging.wait(30) and cancelled.set()).start()
    with pytest.raises(RepositoryError, match="cancelled"):
        head_commit(server.url("code.git"), folder=work, cancelled=cancelled)
    assert not running(server.url("code.git"))


CALLER = """
import sys
from moodswarm.crawl.repositories import head_commit
head_commit(sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_git_does_not_outlive_a_caller_that_was_killed(server: GitServer, work: Path) -> None:
    server.behaviour = "hang"
    url = server.url("code.git")
    environment = {**os.environ, "TMPDIR": str(work)}
    with subprocess.Popen([sys.executable, "-c", CALLER, url], env=environment) as caller:
        assert server.hanging.wait(30)
        assert running(url)
        caller.send_signal(signal.SIGKILL)
    for _ in range(200):
        if not running(url):
            break
        time.sleep(0.05)
    assert not running(url)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("garbage", "bad_answer: the server's answer is broken"),
        ("garbage_in_pack", "bad_answer: the server's answer is broken"),
        ("html", "empty: there is no commit, or it is not a repository"),
        ("password", "unauthorised: is private, not there, or refused"),
        ("error", "http_503"),
        ("shouting", "bad_answer"),
    ],
)
def test_a_bad_server_gives_a_reason(
    server: GitServer, work: Path, behaviour: Behaviour, reason: str
) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    server.behaviour = behaviour
    with pytest.raises(RepositoryError, match=reason) as failure:
        read(server.url("code.git"), work)
    assert "sesame" not in str(failure.value)


def test_what_is_not_there_gives_a_reason(server: GitServer, work: Path) -> None:
    with pytest.raises(RepositoryError, match="not_found: is not there"):
        read(server.url("none.git"), work)


def test_an_unreachable_server_gives_a_reason(work: Path) -> None:
    with pytest.raises(RepositoryError, match="unreachable: .*127.0.0.1"):
        read("http://127.0.0.1:9/code.git", work)


def test_redirects_are_refused_where_nothing_judges_them(
    server: GitServer, work: Path, tmp_path: Path
) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    with serve_git(server.folder) as elsewhere:
        server.behaviour, server.target = "redirect", elsewhere.proxy
        with pytest.raises(RepositoryError, match="redirected: has moved"):
            read(server.url("code.git"), work)
        assert not elsewhere.hits


def test_redirects_are_followed_through_the_proxy(server: GitServer, work: Path) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    server.behaviour, server.target = "redirect", "http://new.invalid"
    assert read("http://old.invalid/code.git", work, proxy=server.proxy) == {"a.py"}
    assert server.hosts == {"old.invalid", "new.invalid"}


def test_all_that_git_asks_goes_through_the_proxy(
    server: GitServer, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert read("http://code.invalid/code.git", work, proxy=server.proxy) == {"a.py"}


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x", "file:///etc", "/etc", "git://example.org/a", "ssh://h/a",
        "git@example.org:a/b.git", "--upload-pack=touch", "https://ada:sesame@example.org/a",
        "https://ada@example.org/a", "https:///a", "https://h/a?token=sesame", "https://h/a#b",
        "https://h/a b", "https://h/a\nb", "https://h:99999/a", "https://[::1/a", "",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_unasked(work: Path, url: str) -> None:
    with pytest.raises(RepositoryError, match="bad_url: expected https or http") as failure:
        read(url, work)
    assert "sesame" not in str(failure.value)


def test_plain_http_can_be_refused(server: GitServer, work: Path) -> None:
    with pytest.raises(RepositoryError, match="bad_url: expected https:"):
        head_commit(server.url("code.git"), folder=work, allow_http=False)


# --- the user's own settings ---


def test_no_password_is_sent_and_no_configuration_is_read(
    server: GitServer, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password sesame\n")
    (tmp_path / ".gitconfig").write_text(
        '[url "http://127.0.0.1:9/"]\ninsteadOf = http://127.0.0.1\n'
        "[credential]\nhelper = !echo username=ada; echo password=sesame\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'http.extraHeader=Authorization: sesame'")
    assert read(server.url("code.git"), work) == {"a.py"}
    server.behaviour = "password"
    with pytest.raises(RepositoryError, match="unauthorised"):
        read(server.url("code.git"), work)
    assert not server.authorized


# --- repositories ---


def test_attributes_hooks_and_modules_run_nothing(
    server: GitServer, work: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    publish(
        server.folder,
        {
            ".gitattributes": b"* filter=evil text eol=crlf ident\n",
            ".gitconfig": f'[filter "evil"]\nsmudge = touch {mark}\n'.encode(),
            ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n',
            "hooks/post-checkout": f"#!/bin/sh\ntouch {mark}\n".encode(),
            "a.py": b"# $Id$\n",
        },
    )
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        texts = {file.path: file.text for file in repository.files()}
    assert texts["a.py"] == "# $Id$\n"
    assert len(texts) == 5
    assert not mark.exists()


@pytest.mark.parametrize(
    "modules",
    [
        b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n',
        b'[submodule "../../x"]\n\tpath = x\n\turl = https://example.org/x\n',
        b'[submodule "x"]\n\tpath = -x\n\turl = https://example.org/x\n',
        b'[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n\tupdate = !touch x\n',
    ],
    ids=["url", "name", "path", "update"],
)
def test_modules_made_to_run_commands_are_refused(
    server: GitServer, work: Path, modules: bytes
) -> None:
    publish(server.folder, {".gitmodules": modules, "a.py": b"1\n"})
    with pytest.raises(RepositoryError, match="hostile"):
        read(server.url("code.git"), work)


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"git~1", b"a/b"])
def test_path_tricks_are_refused(server: GitServer, work: Path, name: bytes) -> None:
    raw = RawRepository(server.folder)
    raw.commit(raw.tree({name: raw.tree({b"config": raw.blob(b"1\n")})}))
    with pytest.raises(RepositoryError, match="hostile"):
        read(server.url("raw.git"), work)


@pytest.mark.parametrize(
    "name",
    [b"a\\b.py", b"a\nb.py", b"\xff.py", b"a\x1b[2J.py", "a\u202eyp.b".encode(), b"a" * 2000],
)
def test_odd_names_are_left_out(server: GitServer, work: Path, name: bytes) -> None:
    raw = RawRepository(server.folder)
    names = sorted([(name, raw.blob(b"1\n")), (b"ok.py", raw.blob(b"2\n"))])
    raw.commit(raw.tree(dict(names)))
    with open_repository(server.url("raw.git"), limits=LIMITS, folder=work) as repository:
        assert [file.path for file in repository.files()] == ["ok.py"]
        assert repository.skipped == {"bad_path": 1}


def test_old_faults_in_dates_and_modes_do_no_harm(server: GitServer, work: Path) -> None:
    raw = RawRepository(server.folder)
    _, blob = raw.blob(b"1\n")
    raw.commit(raw.tree({b"a.py": (FILE, blob)}), person="A <a@b.c> 1700000000 +051800")
    assert read(server.url("raw.git"), work) == {"a.py"}


def test_trees_that_hold_each_other_end(server: GitServer, work: Path) -> None:
    raw = RawRepository(server.folder)
    tree = raw.tree({b"a.py": raw.blob(b"1\n")})
    for _ in range(7):
        tree = raw.tree({f"{n:02}".encode(): tree for n in range(10)})
    raw.commit(tree)
    limits = Repositories(seconds=30, files=5)
    with (
        pytest.raises(RepositoryError, match="hostile: lists impossibly many files"),
        open_repository(server.url("raw.git"), limits=limits, folder=work),
    ):
        pass


def test_trees_without_files_end(server: GitServer, work: Path) -> None:
    raw = RawRepository(server.folder)
    tree = raw.tree({})
    for _ in range(12):
        tree = raw.tree({f"{n:02}".encode(): tree for n in range(10)})
    raw.commit(tree)
    with pytest.raises(RepositoryError, match="timeout"):
        read(server.url("raw.git"), work, Repositories(seconds=1))


def test_very_deep_folders_are_left_out(server: GitServer, work: Path) -> None:
    raw = RawRepository(server.folder)
    tree = raw.tree({b"a.py": raw.blob(b"1\n")})
    for _ in range(600):
        tree = raw.tree({b"d": tree})
    raw.commit(tree)
    with open_repository(server.url("raw.git"), limits=LIMITS, folder=work) as repository:
        assert repository.skipped == {"bad_path": 1}


def test_a_clone_beyond_the_limit_is_stopped(server: GitServer, work: Path) -> None:
    server.filters = False
    publish(server.folder, {"a.bin": os.urandom(3_000_000)})
    with pytest.raises(RepositoryError, match="too_large: is larger than"):
        read(server.url("code.git"), work, Repositories(clone_mib=1))
    assert not any(work.iterdir())


def test_a_missing_git_names_the_remedy(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from moodswarm.crawl.repositories.git import find_git

    find_git.cache_clear()
    monkeypatch.setenv("PATH", str(work))
    with pytest.raises(RepositoryError, match="git_missing: .* Install it"):
        read("https://example.org/a", work)
    find_git.cache_clear()
