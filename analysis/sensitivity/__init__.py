"""How rare a fault is still caught: measured in runs, and in every shorter run within them."""
