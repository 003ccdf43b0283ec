"""Decisions, and nothing else: values in, a verdict or a plan out. Pure."""
