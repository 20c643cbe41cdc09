"""Sentences and words for what the books say: one table for each subject."""
