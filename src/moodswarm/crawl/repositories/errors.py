"""Errors that say why a repository was not read, derived from git's own messages if git failed."""

import re
import signal
from pathlib import Path

_TAIL = 16_384
_LONGEST = 300

# The first pattern that matches gives the reason. Git's messages are in English (LC_ALL=C).
_REASONS: tuple[tuple[str, str], ...] = (
    (r"File size limit exceeded|File too large|died of signal 25", "too_large"),
    # This is all that git says when the limit on file sizes has ended index-pack.
    (r"\Afatal: fetch-pack: invalid index-pack output\Z", "too_large"),
    (r"fsck error|is corrupt|hash mismatch|SHA1 COLLISION", "hostile"),
    (r"[Oo]ut of memory|mmap failed|unable to create thread", "hostile"),
    (r"code 403 from proxy|CONNECT tunnel failed, response 403", "egress"),
    (r"from proxy after CONNECT|CONNECT tunnel failed", "unreachable"),
    (r"[Oo]peration too slow|timed out", "timeout"),
    (r"could not read Username|Authentication failed|returned error: 40[13]", "unauthorised"),
    (r"repository '.*' not found|returned error: (?:404|410)", "not_found"),
    (r"returned error: 3\d\d|unable to update url base from redirection", "redirected"),
    (r"transport '.*' not allowed|Protocol .{0,20}(?:not supported|disabled)", "hostile"),
    (r"resolve host|o connect|t connect|(?:Recv|Send) failure|SSL|certificate", "unreachable"),
    (r"is this a git repository|dumb http transport|not valid: ", "not_a_repository"),
    (
        r"protocol error|bad line|early EOF|expected|index-pack|hung up|invalid |RPC failed",
        "bad_answer",
    ),
    (
        r"Empty reply|GnuTLS|transfer closed|bad pack|missing blob",
        "bad_answer",
    ),
)
_WORDS = {
    "too_large": "is larger than allowed",
    "egress": "the address is not allowed",
    "unauthorised": "is private, not there, or refused by the server",
    "not_found": "is not there",
    "redirected": "has moved; use its new address",
    "not_a_repository": "the server does not speak git's protocol there",
    "bad_answer": "the server's answer is broken",
}
_STATUS = re.compile(r"returned error: (\d{3})")
_ODD = re.compile(r"[^\n\x20-\x7e]+")


class RepositoryError(Exception):
    """A repository cannot be read.

    Attributes:
        reason: A code: `bad_url`, `git_missing`, `not_found`, `unauthorised`, `egress`,
            `redirected`, `unreachable`, `http_500` and the like, `not_a_repository`, `bad_answer`,
            `empty`, `unsupported`, `hostile`, `too_large`, `timeout`, `cancelled`, `git_failed`.
        detail: The reason in words, in printable ASCII and without secrets.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class NotModified(Exception):
    """The repository is still at the known commit.

    Attributes:
        commit: The id of that commit, 40 hex digits.
    """

    def __init__(self, commit: str) -> None:
        super().__init__(f"still at commit {commit}")
        self.commit = commit


def failure(code: int, errors: Path) -> RepositoryError:
    """Return the error for a git command that failed.

    Args:
        code: The exit status of the shell that ran git.
        errors: The file with what git wrote to standard error.
    """
    said = _last_lines(errors)
    reason = next((reason for pattern, reason in _REASONS if re.search(pattern, said)), None)
    if reason is None and (match := _STATUS.search(said)):
        reason = f"http_{match[1]}"
    if code in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ):
        reason = "too_large"
    first = next((line for line in said.splitlines() if line), f"exit status {code}")
    words = _WORDS.get(reason or "", f"git says: {first[:_LONGEST]}")
    return RepositoryError(reason or "git_failed", words)


def _last_lines(errors: Path) -> str:
    """Return git's own messages, the last first, without the server's lines (`remote: ...`)."""
    with errors.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _TAIL))
        text = _ODD.sub(" ", stream.read().decode("ascii", "replace"))
    lines = [line.strip() for line in text.splitlines()]
    own = [line for line in lines if line and not line.startswith("remote:")]
    fatal = [line for line in own if line.startswith(("fatal:", "error:"))]
    return "\n".join(reversed(fatal or own))
