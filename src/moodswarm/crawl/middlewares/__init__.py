"""Middlewares and a queue for Scrapy: retries, pauses, robots.txt, limits, reasons for failures.

Nothing here depends on a platform; only spiders do.
"""
