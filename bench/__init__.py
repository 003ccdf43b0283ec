"""What it costs, as JSON: `python -m bench`, or one part of it with `python -m bench desk`. No test; fails nothing.

Every ratio runs ours and its reference in turn in one run, because machines drift: compare medians and ratios, never
a lone time. docs/performance.md says how to read the figures; the references are in `bench/floor/`.
"""
