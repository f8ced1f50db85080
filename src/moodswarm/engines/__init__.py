"""Where a step runs: in this process, or on a Ray cluster. Same step, same pages, same order.

Nothing here knows what a step does, and nothing here imports Kedro.
"""
