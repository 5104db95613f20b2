"""Standard outputs; ``modnet.outputs`` re-exports them."""
