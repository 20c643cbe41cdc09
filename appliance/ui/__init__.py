"""What browsers and other programs see: the staff's console, the drivers' pages and the API. Starts at `app`."""
