"""Measures how good retrieval is: questions with known answers, measures and baselines.

Nothing here searches: questions go through the same retriever as the questions of users.
"""
