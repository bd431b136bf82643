"""One checker per system whose official outputs are known: `check(folder)` yields comparisons."""
