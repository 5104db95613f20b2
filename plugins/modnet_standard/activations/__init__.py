"""Standard activations; ``modnet.activations`` re-exports them."""
