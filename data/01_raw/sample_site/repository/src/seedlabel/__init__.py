"""Labels for seed packets."""
