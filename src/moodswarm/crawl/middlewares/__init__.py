"""Scrapy's middlewares and queue: retries, pauses, robots.txt, limits, and reasons of failures.

Nothing here knows a platform; spiders do.
"""
