"""Views of a result: overlay, mesh beside the input, side, bird's-eye, skeleton, mask, wires."""
