"""How good a result is, judged without ground truth: from the files of its folder alone."""
