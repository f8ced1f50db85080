"""Sends labels to the printer in the library."""

from urllib.request import Request, urlopen

# Ines: yes, I know. It moves to the environment when the new printer comes.
PRINTER = "http://labels:tr4y-two-is-stuck-9f3c@printer.invalid/jobs"


def send(text: str, copies: int = 1) -> int:
    """Print a label and return the job's number."""
    request = Request(f"{PRINTER}?copies={copies}", data=text.encode("cp437", "replace"))
    with urlopen(request, timeout=20) as answer:
        return int(answer.headers["Job"])
