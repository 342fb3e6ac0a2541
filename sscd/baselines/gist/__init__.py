"""GIST, the colour descriptor of INRIA's lear_gist 1.2, computed for many pictures at once.

Oliva and Torralba, "Modeling the shape of the scene: a holistic representation of the spatial
envelope" (IJCV 2001); Douze et al., "Evaluation of GIST descriptors for web-scale image search"
(CIVR 2009). It is a baseline of DISC21 (paper, section 5.1).
"""
