"""What comes in from browsers: forms, and lists in the address bar."""
