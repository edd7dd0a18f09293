"""How the affine maps (alpha and kappa) of a ranking are learned."""
