"""Made-up film with exact truth: people who move, clothes, a place, a camera, pictures.

World axes: y up, the ground at y = 0, metres; a body at zero rotation faces +z, its left is +x.
"""
