"""Why a repository was not read."""


class RepositoryError(Exception):
    """A repository cannot be read.

    Attributes:
        reason: A code: `bad_url`, `git_missing`, `not_found`, `unauthorised`, `egress`,
            `redirected`, `unreachable`, `http_500` and the like, `not_a_repository`, `bad_answer`,
            `empty`, `unsupported`, `hostile`, `too_large`, `timeout`, `cancelled`, `git_failed`.
        detail: The same in words, printable ASCII; it holds no secrets.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class NotModified(Exception):
    """The repository is still at the commit that is known already.

    Attributes:
        commit: That commit, 40 hex digits.
    """

    def __init__(self, commit: str) -> None:
        super().__init__(f"still at commit {commit}")
        self.commit = commit
