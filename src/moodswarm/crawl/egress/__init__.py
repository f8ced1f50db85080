"""One guard for all outgoing traffic: Scrapy, Chromium and git reach only public addresses.

The decision is made in one place, `policy`. Scrapy asks it through `resolver`, `download` and
`middleware`; Chromium and git go through `proxy`. Each resolves a name once and connects to exactly
the address that was judged, so an answer that changes in between (DNS rebinding) has no effect.

Proxies from environment variables are not used: a proxy resolves names itself, and nothing here
could judge what it reaches. Behind a company proxy, let the machine reach the internet directly, or
collect on another machine and import the result.
"""

from moodswarm.crawl.egress.policy import EgressPolicy, EgressRefused

__all__ = ["EgressPolicy", "EgressRefused"]
