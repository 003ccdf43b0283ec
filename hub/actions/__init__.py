"""One use case a function, one transaction each. Introduces `rules` to `store`."""
