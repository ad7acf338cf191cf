"""The gates, one function each: facts in, an answer out."""
