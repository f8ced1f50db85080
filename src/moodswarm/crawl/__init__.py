"""From a link to documents: a Scrapy project, run in a child process by the crawl pipeline.

Nothing here imports Kedro or a store: the child reports events, and its parent saves them. It needs
the extra `crawl` (pip install "moodswarm[crawl]"); this package itself imports without it.
"""
