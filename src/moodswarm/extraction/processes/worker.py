"""The program of a worker process: pages come in, articles or refusals go out.

`ExtractionPool` starts it with four arguments: the file descriptor of its channel, the greatest
length of a page in bytes, the memory in MiB, and the process id of the pool.
"""

import contextlib
import os
import signal
import sys
from multiprocessing.connection import Connection

_PR_SET_PDEATHSIG = 1


def main(channel: Connection, max_bytes: int) -> None:
    """Extract the pages that come through the channel until its other end is closed."""
    from moodswarm.extraction.article import Refused
    from moodswarm.extraction.page import extract_page

    paragraph = b"<p>A page of a few plain words, so that all is loaded before the first.</p>"
    page = b"<html><body><article><h1>Warm</h1>" + 10 * paragraph + b"</article></body></html>"
    extract_page(page, "https://pages.example/")
    channel.send("ready")
    while True:
        try:
            body, url, content_type = channel.recv()
            channel.send("taken")
        except (EOFError, OSError):
            return
        try:
            outcome = extract_page(body, url, content_type=content_type, max_bytes=max_bytes)
        except MemoryError:
            outcome = Refused("out_of_memory", "the page needs more memory than a worker may have")
        except Exception as error:  # noqa: BLE001  # a bug costs one page, and is reported
            outcome = Refused("crashed", f"{type(error).__name__}: {error!s:.200}")
        channel.send(outcome)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent is gone, however the parent ended."""
    if sys.platform != "linux":
        return  # elsewhere, this process ends after its page, since its channel is closed
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit_memory(memory_mib: int) -> None:
    """Limit the address space, if the system can."""
    import resource

    limit = memory_mib * 1024 * 1024
    # Not every system has or allows this limit; time is limited in any case.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    descriptor, max_bytes, memory_mib, parent = map(int, sys.argv[1:])
    end_with_parent(parent)
    # Ctrl-C in a terminal reaches the whole group; the pool decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory(memory_mib)
    main(Connection(descriptor), max_bytes)
