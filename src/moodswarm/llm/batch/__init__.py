"""Many calls at once, with a cache, a budget and an outcome for each.

Nothing here knows what a task is about; pipelines bring their own tasks.
"""
