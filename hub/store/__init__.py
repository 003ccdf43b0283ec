"""Queries, each named by the question it answers. They take a `Connection`, decide nothing and never commit."""
