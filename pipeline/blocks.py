"""Rows in blocks, where all of them at once would take much room."""


def blocks(count: int, most: int) -> list[slice]:
    """Slices of at most `most` rows, one behind the other, that cover `count`."""
    return [slice(start, min(start + most, count)) for start in range(0, count, most)]
