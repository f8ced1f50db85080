"""From a link to documents: a Scrapy project, run in a child process by the crawl pipeline.

Needs the extra `crawl`: pip install "moodswarm[crawl]". This package itself imports without it.
"""
