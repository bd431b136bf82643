"""Results of other programs, read into this project's nouns. Nothing in their files is run."""
