"""The desk's use cases, one function each."""
