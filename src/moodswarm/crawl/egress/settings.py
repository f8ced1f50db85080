"""The Scrapy settings that put the guard in place, and the policy that is read from them."""

from moodswarm.crawl.egress.policy import EgressPolicy
from moodswarm.crawl.spec import Egress

RESOLVER = "moodswarm.crawl.egress.resolver.EgressResolver"
DOWNLOAD = "moodswarm.crawl.egress.download.EgressDownload"
MIDDLEWARE = "moodswarm.crawl.egress.middleware.EgressMiddleware"
# Before any middleware that may send a request of its own, such as the one for robots.txt.
MIDDLEWARE_ORDER = 10


def guarded_settings(egress: Egress) -> dict[str, object]:
    """Return the settings that a crawl needs for the guard.

    `DOWNLOADER_MIDDLEWARES` is not among them, so that it is defined in one place: add `MIDDLEWARE`
    to it at `MIDDLEWARE_ORDER`.
    """
    return {
        "EGRESS": egress,
        "TWISTED_DNS_RESOLVER": RESOLVER,
        # A proxy would resolve names itself, and environment variables could name one.
        "HTTPPROXY_ENABLED": False,
        "DOWNLOAD_HANDLERS": {
            "http": DOWNLOAD,
            "https": DOWNLOAD,
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
    }


def policy_of(settings: object) -> EgressPolicy:
    """Return the policy that a crawl's settings ask for.

    Raises:
        TypeError: the settings have no `EGRESS`; nothing is fetched without it.
    """
    egress = settings.get("EGRESS") if hasattr(settings, "get") else None
    if not isinstance(egress, Egress):
        raise TypeError("setting EGRESS: expected an Egress, see guarded_settings")
    return EgressPolicy.from_spec(egress)
