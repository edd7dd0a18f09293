"""How alpha and kappa are learned."""
