"""Standard losses; ``modnet.losses`` re-exports them."""
