"""`humans4d bench`: any configuration against made-up and real truth."""
