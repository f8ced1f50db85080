"""Measures how good retrieval and extraction are, with intervals for every mean.

Nothing here imports Kedro; pipelines and commands say what to measure.
"""
