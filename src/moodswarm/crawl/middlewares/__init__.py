"""Downloader middlewares and the queue: patience, robots.txt, and failures that say what failed."""
