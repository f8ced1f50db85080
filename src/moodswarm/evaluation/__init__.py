"""How good retrieval and extraction are, with intervals for what was measured.

Nothing here imports Kedro; pipelines and commands say what to measure.
"""
