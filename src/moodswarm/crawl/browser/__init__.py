"""Pages that show nothing without JavaScript, read by Chromium through scrapy-selenium.

scrapy-selenium 0.0.7 provides the request and the middleware. Both are extended here with
Selenium 4, work outside the reactor's thread, cookies that no other page sees, real HTTP statuses,
and limits.

    settings["DOWNLOADER_MIDDLEWARES"][MIDDLEWARE] = MIDDLEWARE_ORDER
    settings["MOODSWARM_BROWSER"] = spec.browser
    settings["MOODSWARM_BROWSER_PROXY"] = start_egress_proxy  # called at the first page

`MIDDLEWARE` is in `gate` and `BrowserRequest` in `requests`. `USER_AGENT` and `DOWNLOAD_MAXSIZE`
apply as for any other page. Nothing is imported here, because all modules but the gate and the
errors load Selenium.
"""
