"""What a process on this machine needs: files and keys beside the books. Above the edges, below the composition root."""
