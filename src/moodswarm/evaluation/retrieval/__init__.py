"""How good retrieval is: questions with known answers, measures and baselines."""
