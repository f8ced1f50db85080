"""Pages that show nothing without JavaScript, read by Chromium through scrapy-selenium.

scrapy-selenium 0.0.7 asks for the page and names the middleware; both are mended here: Selenium 4,
off the reactor's thread, one page's cookies never seen by the next, honest statuses, limits.

    settings["DOWNLOADER_MIDDLEWARES"][MIDDLEWARE] = MIDDLEWARE_ORDER
    settings["MOODSWARM_BROWSER"] = spec.browser
    settings["MOODSWARM_BROWSER_PROXY"] = start_egress_proxy  # called at the first page

`MIDDLEWARE` is in `gate`, `BrowserRequest` in `requests`. `USER_AGENT` and `DOWNLOAD_MAXSIZE` count
as for any other page. Nothing is imported here: all but the gate and the errors loads Selenium.
"""
