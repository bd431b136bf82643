"""Export: a person's motion as a file that other tools open."""
