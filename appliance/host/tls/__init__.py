"""HTTPS without anybody's help: the site's own certificate authority, the certificate of this box, and the listeners' contexts."""
