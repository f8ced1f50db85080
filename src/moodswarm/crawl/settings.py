"""Scrapy's settings, each with the reason for it.

Settings that the user decides (limits, manners, which addresses may be reached) come from the
crawl's `CrawlSpec`, see `settings_of`. If a spider is run by hand with `scrapy crawl`, the defaults
of `CrawlSpec` apply.
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
# The items from one response are passed on one by one, so that the links in a listing come before
# the visit of the listing itself. This also saves a hundred tasks per page.
CONCURRENT_ITEMS = 1

# The settings whose names end in _BASE replace Scrapy's own lists. If a part were only switched off
# with `None`, Scrapy would still import it, and aiohttp and requests with it, which takes 0.2
# CPU-seconds in every crawl.

# The spiders and the frontier make sure that each link is requested only once and is neither too
# deep nor too long. If Scrapy dropped a request for such a reason, no event would end its visit.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}

# In this queue, a domain that has to wait holds no place in the downloader. Even if all domains but
# one are waiting, there are still places for that one.
SCHEDULER_PRIORITY_QUEUE = "moodswarm.crawl.middlewares.queue.PatientQueue"
# Links are requested in the order in which they are found: the newest entries of a feed first, and
# pages near the front page before pages deep in the site.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
SCHEDULER_START_MEMORY_QUEUE = None
CONCURRENT_REQUESTS = 32

_SCRAPY = "scrapy.downloadermiddlewares"
# Some of Scrapy's middlewares are left out. Offsite, httpauth, cookies, httpproxy and httpcache are
# not needed, because sources are public and the spiders check links themselves. Metarefresh would
# have to decode every page to find a refresh inside its HTML.
DOWNLOADER_MIDDLEWARES_BASE = {
    f"{_SCRAPY}.downloadtimeout.DownloadTimeoutMiddleware": 350,
    f"{_SCRAPY}.defaultheaders.DefaultHeadersMiddleware": 400,
    f"{_SCRAPY}.useragent.UserAgentMiddleware": 500,
    f"{_SCRAPY}.stats.DownloaderStats": 850,
}
DOWNLOADER_MIDDLEWARES = {
    # This comes first, so that nothing else is done for an address that must not be reached.
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
# Without this check, a text that somebody changed in transit would be taken for the author's.
DOWNLOAD_VERIFY_CERTIFICATES = True

ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "MoodSwarm"

# Scrapy's own extensions, without five that are not wanted. If those were only switched off in
# `EXTENSIONS`, Scrapy would still import them, and one of them imports aiohttp, which takes a tenth
# of the crawler's start time. The telnet console and the remote control open a port through which
# anybody on this machine could run code here. The memory usage extension reads a peak that is
# inherited from the parent process. The memory debugger only helps to debug Scrapy itself. The
# spider state is not needed, because a crawl continues from the ledger.
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

# None stands for asyncio's own loop. For 1,000 pages of 26 KB, uvloop took 3.8 CPU-ms per page, and
# asyncio's own loop 4.0.
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
    """Return the settings for Scrapy that follow from the user's decisions."""
    contact = f" (+{manners.contact})" if manners.contact else ""
    return {
        **guarded_settings(egress),
        "USER_AGENT": f"MoodSwarm/{__version__}{contact}",
        "DOWNLOAD_MAXSIZE": limits.page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        # This limits the time from the request to the last byte, not the time between two bytes.
        "DOWNLOAD_TIMEOUT": limits.page_seconds,
        "REDIRECT_MAX_TIMES": limits.redirects,
        "CLOSESPIDER_TIMEOUT": limits.hours * 3600,
        "MEMORY_LIMIT_MIB": limits.memory_mib,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.requests_at_once_per_domain,
        "DOWNLOAD_DELAY": manners.delay_seconds,
        # AutoThrottle slows requests down if the server is slow. It is off if no delay is wanted,
        # as in a demo, because it would add one.
        "AUTOTHROTTLE_ENABLED": manners.delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": manners.delay_seconds,
        "AUTOTHROTTLE_MAX_DELAY": manners.max_delay_seconds,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(manners.requests_at_once_per_domain),
        "RETRY_TIMES": manners.retries,
        "MOODSWARM_BROWSER": browser,
    }


globals().update(settings_of(Limits(), Manners(), Egress(), Browser()))
