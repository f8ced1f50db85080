"""Runs git on strangers' repositories: in a clean environment, without prompts, with hard limits.

The user's own configuration is not read, no credential is sent, no hook or filter runs, and git
speaks only http and https. This needs git 2.32 or later, for the variable `GIT_CONFIG_GLOBAL`; it
is tested with git 2.39.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from moodswarm.crawl.repositories.budget import Budget
from moodswarm.crawl.repositories.errors import RepositoryError, failure

MINIMUM_VERSION = (2, 32)
MIB = 1024 * 1024

# A shell sets the limits, because Python code between fork and exec may deadlock in a program with
# threads. The shell's input is a pipe that only this program holds open. When this program ends,
# even by `kill -9`, the pipe closes and the whole process group is killed; without this, git would
# finish its transfer first.
_LIMITS = """
for limit in "-c 0" "-f $1" "-v $2"; do ulimit $limit 2>/dev/null; done
umask 077
shift 2
"""
_GUARDED = (
    _LIMITS
    + """
exec 3<&0 </dev/null
( read -r line <&3; kill -KILL 0 ) >/dev/null 2>&1 &
guard=$!
"$@" 3<&-
code=$?
kill -KILL "$guard" 2>/dev/null
exit "$code"
"""
)
_PLAIN = _LIMITS + 'exec "$@"\n'

_BLOCK = 512
#: Address space of each git process; a hostile object may be made to unpack to gigabytes.
_MEMORY_KIB = 3 * 1024 * 1024
_POLL_SECONDS = 0.02
_DISK_SECONDS = 0.2
_DYING_SECONDS = 1.0
#: The most output of one command: enough to list half a million files, or references.
_OUTPUT_MIB = 64

# Mistakes that old tools made in dates, names and modes are harmless, and some well-known projects
# contain them.
_OLD_FAULTS = (
    "badDate badDateOverflow badEmail badName badTimezone missingEmail missingNameBeforeEmail "
    "missingSpaceBeforeDate missingSpaceBeforeEmail nulInCommit zeroPaddedDate zeroPaddedFilemode"
).split()

# `http.followRedirects` is not here but in `_configuration`, because it depends on the proxy.
_CONFIGURATION = (
    "core.askPass=",
    "core.bigFileThreshold=8m",  # larger objects are streamed, not loaded
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.packedGitLimit=256m",
    "core.packedGitWindowSize=16m",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "credential.helper=",
    "gc.auto=0",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "http.sslVerify=true",
    "maintenance.auto=false",
    "pack.threads=1",
    "protocol.allow=never",
    "protocol.version=2",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "transfer.fsckObjects=true",
    *(f"fetch.fsck.{fault}=ignore" for fault in _OLD_FAULTS),
)

# The only environment variables that git inherits; some name a company's own certificates.
_KEPT = ("PATH", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """How git is run for one repository.

    Attributes:
        folder: Holds everything that git writes: home, clone, output.
        proxy: Address of the proxy that checks every request, including redirects.
        http: Whether unencrypted http is allowed.
        disk_mib: How large the folder may become.
    """

    folder: Path
    budget: Budget
    disk_mib: int
    proxy: str | None = None
    http: bool = True

    def run(self, *arguments: str, online: bool = False) -> Path:
        """Run a git command to its end, within all limits.

        Args:
            arguments: The subcommand and its arguments.
            online: Whether git may contact a server; if not, no protocol is allowed at all.

        Returns:
            The file with the command's output; the next call overwrites this file.

        Raises:
            RepositoryError: if the command fails or reaches a limit; by then the whole process
                group has ended.
        """
        output, errors = self.folder / "output", self.folder / "errors"
        # The folder's size is checked again and again; the limit on the size of a file stops git if
        # it writes too fast for these checks.
        file_mib = 2 * self.disk_mib if online else _OUTPUT_MIB
        with output.open("wb") as out, errors.open("wb") as err:
            child = subprocess.Popen(  # noqa: S603  # no shell reads the arguments
                self._command(_GUARDED, arguments, file_mib, online),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=self._environment(online),
                start_new_session=True,
            )
            try:
                self._watch(child)
            finally:
                end(child)
        if child.returncode:
            raise failure(child.returncode, errors)
        self._check_disk()
        return output

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a local git command that answers its standard input until the input ends."""
        return subprocess.Popen(  # noqa: S603  # no shell reads the arguments
            self._command(_PLAIN, arguments, _OUTPUT_MIB, online=False),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=self.folder,
            env=self._environment(online=False),
            start_new_session=True,
        )

    def _watch(self, child: "subprocess.Popen[bytes]") -> None:
        looked = time.monotonic()
        while True:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_POLL_SECONDS)
                return
            self.budget.check()
            if time.monotonic() - looked > _DISK_SECONDS:
                looked = time.monotonic()
                self._check_disk()

    def _check_disk(self) -> None:
        if _size(self.folder) > self.disk_mib * MIB:
            raise RepositoryError("too_large", f"is larger than {self.disk_mib} MiB")

    def _command(
        self, script: str, arguments: Sequence[str], file_mib: int, online: bool
    ) -> list[str]:
        limits = [str(file_mib * MIB // _BLOCK), str(_MEMORY_KIB)]
        settings = [part for value in self._configuration(online) for part in ("-c", value)]
        return ["/bin/sh", "-c", script, "sh", *limits, find_git(), *settings, *arguments]

    def _configuration(self, online: bool) -> list[str]:
        if not online:
            return [*_CONFIGURATION]
        return [
            *_CONFIGURATION,
            *(f"protocol.{name}.allow=always" for name in self._protocols()),
            f"http.proxy={self.proxy or ''}",
            # The address of a renamed repository redirects. This is followed only if there is a
            # proxy, because nothing else checks the target.
            f"http.followRedirects={'initial' if self.proxy else 'false'}",
        ]

    def _protocols(self) -> list[str]:
        return ["https", "http"] if self.http else ["https"]

    def _environment(self, online: bool) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        home = str(self.folder)
        return kept | {
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "TMPDIR": home,
            "LC_ALL": "C",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": home,
            "GIT_ALLOW_PROTOCOL": ":".join(self._protocols()) if online else "none",
            "GIT_ASKPASS": "",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def kill(child: "subprocess.Popen[bytes]") -> None:
    """Kill a child and everything it started; return when none of them can still write a file."""
    if child.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        deadline = time.monotonic() + _DYING_SECONDS
        while time.monotonic() < deadline:
            os.killpg(child.pid, 0)  # raises when the group is empty
            time.sleep(_POLL_SECONDS / 4)


def end(child: "subprocess.Popen[bytes]") -> None:
    """Kill a child, if it still runs, and close its pipes."""
    kill(child)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


@lru_cache(maxsize=1)
def find_git() -> str:
    """Return the path of git.

    Raises:
        RepositoryError: with the reason `git_missing`, if git is missing or too old.
    """
    path = shutil.which("git")
    if path is None:
        raise RepositoryError("git_missing", "reading repositories needs git. Install it")
    said = subprocess.run(  # noqa: S603  # found on the path
        [path, "version"], capture_output=True, text=True, timeout=30, check=False
    )
    match = re.search(r"(\d+)\.(\d+)", said.stdout)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_VERSION:
        wanted = ".".join(map(str, MINIMUM_VERSION))
        found = said.stdout.strip()[:60]
        raise RepositoryError("git_missing", f"git {wanted} or later is needed, found {found!r}")
    return path


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # git renames and removes files meanwhile
                total += (Path(place) / name).lstat().st_size
    return total
