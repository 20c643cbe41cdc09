"""The receipt printer: slips become a picture of dots, this becomes ESC/POS, and goes over the network or to a USB device."""
