"""A simulated card reader: a PN532 on a pseudo terminal, and the cards that are laid on it.

`chip` is the reader, which any program opens like a serial device; `cards` is what all cards have in common, and there is
a module for each family of them. Neither knows what the product does with a card.
"""
