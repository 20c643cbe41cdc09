"""What services ask of the edges: small protocols, to which the composition root hands the bodies."""
