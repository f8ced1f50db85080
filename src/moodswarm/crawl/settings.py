"""Scrapy's settings, each with the reason for it.

Settings that the user decides (limits, manners, which addresses may be reached) come from the
crawl's `CrawlSpec`, see `settings_of`. `scrapy crawl` by hand uses its defaults.
"""

from moodswarm import __version__
from moodswarm.crawl.browser.gate import MIDDLEWARE as BROWSER_MIDDLEWARE
from moodswarm.crawl.browser.gate import MIDDLEWARE_ORDER as BROWSER_ORDER
from moodswarm.crawl.egress.settings import MIDDLEWARE as EGRESS_MIDDLEWARE
from moodswarm.crawl.egress.settings import MIDDLEWARE_ORDER as EGRESS_ORDER
from moodswarm.crawl.egress.settings import guarded_settings
from moodswarm.crawl.spec import Browser, Egress, Limits, Manners

BOT_NAME = "moodswarm"
SPIDER_MODULES = ["moodswarm.crawl.spiders"]
ITEM_PIPELINES = {"moodswarm.crawl.item_pipeline.EventPipeline": 500}
# Items of one response are passed on one by one, so that a listing's links come before its own
# visit. This also saves a hundred tasks per page.
CONCURRENT_ITEMS = 1

# The settings named _BASE replace Scrapy's own lists. Switching a part off with `None` would still
# import it, and aiohttp and requests with it: 0.2 CPU-seconds of every crawl.

# The frontier sees to it that each link is asked for once, and counts its depth. If Scrapy dropped
# a request as a duplicate, as too deep or as too long, its visit would have no end.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}

# The queue lets a domain wait without holding a place in the downloader. Even if all domains but
# one are waiting, that one still has places.
SCHEDULER_PRIORITY_QUEUE = "moodswarm.crawl.middlewares.queue.PatientQueue"
# Links are asked for in the order in which they are found: the newest of a feed first, and pages
# near the root before deep ones.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
SCHEDULER_START_MEMORY_QUEUE = None
CONCURRENT_REQUESTS = 32

_SCRAPY = "scrapy.downloadermiddlewares"
# Left out, because sources are public and the spiders judge their links: offsite, httpauth,
# cookies, httpproxy and httpcache. To find a refresh inside HTML, every page would have to be
# decoded.
DOWNLOADER_MIDDLEWARES_BASE = {
    f"{_SCRAPY}.downloadtimeout.DownloadTimeoutMiddleware": 350,
    f"{_SCRAPY}.defaultheaders.DefaultHeadersMiddleware": 400,
    f"{_SCRAPY}.useragent.UserAgentMiddleware": 500,
    f"{_SCRAPY}.stats.DownloaderStats": 850,
}
DOWNLOADER_MIDDLEWARES = {
    # Nothing else is done for an address that may not be reached.
    EGRESS_MIDDLEWARE: EGRESS_ORDER,
    # A repository is read by git, not by Scrapy.
    "moodswarm.crawl.spiders.repositories.RepositoryMiddleware": 50,
    "moodswarm.crawl.middlewares.robots.RobotsMiddleware": 100,
    "moodswarm.crawl.middlewares.retry.RetryMiddleware": 550,
    "moodswarm.crawl.middlewares.limits.LimitedCompression": 590,
    "moodswarm.crawl.middlewares.limits.LimitedRedirects": 600,
    # A browser is started only when a page needs it.
    BROWSER_MIDDLEWARE: BROWSER_ORDER,
}
COOKIES_ENABLED = False
METAREFRESH_ENABLED = False
# Without this check, a text that was changed on the way would be taken for the author's.
DOWNLOAD_VERIFY_CERTIFICATES = True

ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "MoodSwarm"

# Scrapy's own, without five that are not wanted. Were they switched off in `EXTENSIONS`, they would
# still be imported, and one of them imports aiohttp, a tenth of the crawler's start. The telnet
# console and the remote control open a port, and anybody on this machine could then run code here.
# The memory usage reads a peak that is inherited from the parent, the memory debugger only helps
# with Scrapy itself, and the ledger keeps what the spider state would continue from.
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.feedexport.FeedExporter": 0,
    "scrapy.extensions.logstats.LogStats": 0,
    "scrapy.extensions.throttle.AutoThrottle": 0,
}
EXTENSIONS = {"moodswarm.crawl.extensions.MemoryLimit": 0}
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
MEMUSAGE_ENABLED = False
MEMORY_CHECK_SECONDS = 2.0

# asyncio's own loop: over 1,000 pages of 26 KB, uvloop took 3.8 CPU-ms a page, and this one 4.0.
ASYNCIO_EVENT_LOOP = None
DNS_TIMEOUT = 15.0

LOG_LEVEL = "INFO"
LOG_VERSIONS: list[str] = []
# Statistics go to a file; the log is for people.
STATS_DUMP = False
LOGSTATS_INTERVAL = 60.0


def settings_of(
    limits: Limits, manners: Manners, egress: Egress, browser: Browser
) -> dict[str, object]:
    """Return Scrapy's settings for what the user has decided."""
    contact = f" (+{manners.contact})" if manners.contact else ""
    return {
        **guarded_settings(egress),
        "USER_AGENT": f"MoodSwarm/{__version__}{contact}",
        "DOWNLOAD_MAXSIZE": limits.page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        # Measured from the request to the last byte, not between two bytes.
        "DOWNLOAD_TIMEOUT": limits.page_seconds,
        "REDIRECT_MAX_TIMES": limits.redirects,
        "CLOSESPIDER_TIMEOUT": limits.hours * 3600,
        "MEMORY_LIMIT_MIB": limits.memory_mib,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.requests_at_once_per_domain,
        "DOWNLOAD_DELAY": manners.delay_seconds,
        # AutoThrottle slows down for a slow server. If no delay is wanted, as in a demo, it would
        # add one.
        "AUTOTHROTTLE_ENABLED": manners.delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": manners.delay_seconds,
        "AUTOTHROTTLE_MAX_DELAY": manners.max_delay_seconds,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(manners.requests_at_once_per_domain),
        "RETRY_TIMES": manners.retries,
        "MOODSWARM_BROWSER": browser,
    }


globals().update(settings_of(Limits(), Manners(), Egress(), Browser()))
