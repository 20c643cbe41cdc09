"""What one person asks for and another must agree to."""
