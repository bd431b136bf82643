"""What does the work: one folder a stage, one file a backend. Stages never import each other."""
