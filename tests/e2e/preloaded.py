"""Imports for the server in `e2e.forks`: all that a run or a crawl would import after its start."""

# ruff: noqa: F401

import gc

import matplotlib.backends.backend_agg
import matplotlib.figure
import qdrant_edge
import scrapy.core.downloader.handlers.http11
import scrapy.crawler
import torch
import trafilatura

import e2e.crawls
import e2e.projects
import moodswarm.crawl.browser
import moodswarm.crawl.child
import moodswarm.crawl.egress.download
import moodswarm.crawl.extensions
import moodswarm.crawl.item_pipeline
import moodswarm.crawl.middlewares.limits
import moodswarm.crawl.middlewares.queue
import moodswarm.crawl.middlewares.retry
import moodswarm.crawl.middlewares.robots
import moodswarm.crawl.session
import moodswarm.crawl.spiders.git
import moodswarm.crawl.spiders.github
import moodswarm.crawl.spiders.medium
import moodswarm.crawl.spiders.substack
import moodswarm.crawl.spiders.web
import moodswarm.models.bert
import moodswarm.pipelines.crawl
import moodswarm.pipelines.feature
import moodswarm.pipelines.retrieval_evaluation
import moodswarm.settings

# If a fork searched the imported objects for garbage, all their memory would be copied.
gc.freeze()
