"""Turns links into documents: a Scrapy project that the crawl pipeline runs in a child process.

Nothing here imports Kedro or a store: the child process reports events, and its parent process
saves them. Crawling needs the `crawl` extra (pip install "moodswarm[crawl]"), but this package
itself can be imported without that extra.
"""
