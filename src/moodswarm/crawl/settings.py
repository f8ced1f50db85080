"""Scrapy's settings, each with the reason for it.

What the user decides (limits, manners, which addresses may be reached) comes from the crawl's
`CrawlSpec`, see `settings_of`; `scrapy crawl` by hand uses its defaults.
"""

from moodswarm import __version__
from moodswarm.crawl.egress.settings import MIDDLEWARE as EGRESS_MIDDLEWARE
from moodswarm.crawl.egress.settings import MIDDLEWARE_ORDER as EGRESS_ORDER
from moodswarm.crawl.egress.settings import guarded_settings
from moodswarm.crawl.spec import Browser, Egress, Limits, Manners

BOT_NAME = "moodswarm"
SPIDER_MODULES = ["moodswarm.crawl.spiders"]
ITEM_PIPELINES = {"moodswarm.crawl.pipelines.EventPipeline": 500}
# Items of one response are passed on one by one: a listing's links come before its own visit.
# It also saves a hundred tasks a page.
CONCURRENT_ITEMS = 1

# Links: the frontier asks for each once and counts their depth; a request that Scrapy dropped as
# a duplicate, as too deep or too long would leave a visit without its end.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}

# The queue lets a domain wait without a place in the downloader; so all may wait but one, and
# that one still has places.
SCHEDULER_PRIORITY_QUEUE = "moodswarm.crawl.middlewares.queue.PatientQueue"
# First found, first asked: a feed's newest first, and a page near the root before a deep one.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
SCHEDULER_START_MEMORY_QUEUE = None
CONCURRENT_REQUESTS = 32

_SCRAPY = "scrapy.downloadermiddlewares"
DOWNLOADER_MIDDLEWARES = {
    # Nothing else is done for an address that may not be reached.
    EGRESS_MIDDLEWARE: EGRESS_ORDER,
    # A repository is read by git, not by Scrapy.
    "moodswarm.crawl.middlewares.repositories.RepositoryMiddleware": 50,
    "moodswarm.crawl.middlewares.robots.RobotsMiddleware": 100,
    f"{_SCRAPY}.robotstxt.RobotsTxtMiddleware": None,
    "moodswarm.crawl.middlewares.retry.RetryMiddleware": 550,
    f"{_SCRAPY}.retry.RetryMiddleware": None,
    "moodswarm.crawl.middlewares.limits.LimitedCompression": 590,
    f"{_SCRAPY}.httpcompression.HttpCompressionMiddleware": None,
    "moodswarm.crawl.middlewares.limits.LimitedRedirects": 600,
    f"{_SCRAPY}.redirect.RedirectMiddleware": None,
    # Only when a page needs it is a browser started.
    "moodswarm.crawl.browser.BrowserMiddleware": 950,
    # Not needed: sources are public, their links judged by the spiders. The pages of a refresh
    # inside HTML would have to be decoded, all of them, to find it.
    f"{_SCRAPY}.offsite.OffsiteMiddleware": None,
    f"{_SCRAPY}.httpauth.HttpAuthMiddleware": None,
    f"{_SCRAPY}.redirect.MetaRefreshMiddleware": None,
    f"{_SCRAPY}.cookies.CookiesMiddleware": None,
    f"{_SCRAPY}.httpproxy.HttpProxyMiddleware": None,
    f"{_SCRAPY}.httpcache.HttpCacheMiddleware": None,
}
COOKIES_ENABLED = False
METAREFRESH_ENABLED = False
# A text that was changed on its way would be taken for the author's.
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
    """Return the settings that a user's decisions become."""
    contact = f" (+{manners.contact})" if manners.contact else ""
    return {
        **guarded_settings(egress),
        "USER_AGENT": f"MoodSwarm/{__version__}{contact}",
        "DOWNLOAD_MAXSIZE": limits.page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        # From the request to the last byte, not between two of them.
        "DOWNLOAD_TIMEOUT": limits.page_seconds,
        "REDIRECT_MAX_TIMES": limits.redirects,
        "CLOSESPIDER_TIMEOUT": limits.hours * 3600,
        "MEMORY_LIMIT_MIB": limits.memory_mib,
        "CONCURRENT_REQUESTS_PER_DOMAIN": manners.requests_at_once_per_domain,
        "DOWNLOAD_DELAY": manners.delay_seconds,
        # It slows down with a slow server. With no delay wanted, as in a demo, it would add one.
        "AUTOTHROTTLE_ENABLED": manners.delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": manners.delay_seconds,
        "AUTOTHROTTLE_MAX_DELAY": manners.max_delay_seconds,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(manners.requests_at_once_per_domain),
        "RETRY_TIMES": manners.retries,
        "MOODSWARM_BROWSER": browser,
    }


globals().update(settings_of(Limits(), Manners(), Egress(), Browser()))
