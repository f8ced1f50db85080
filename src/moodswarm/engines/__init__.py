"""Engines, which run the same step on the same pages in this process or on a Ray cluster.

Results keep their order. Nothing here depends on what a step does, and nothing imports Kedro.
"""
