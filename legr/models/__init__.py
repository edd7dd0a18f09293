"""Every model by name: architectures, factories, weights, input shapes."""
