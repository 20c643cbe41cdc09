"""What meters have signed: read, checked, and compared with what was billed."""
