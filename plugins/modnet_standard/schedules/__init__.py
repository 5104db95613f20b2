"""Standard schedules; ``modnet.schedules`` re-exports them."""
