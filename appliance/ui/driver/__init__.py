"""What drivers see on their phones, on a listener of its own: nothing of the console."""
