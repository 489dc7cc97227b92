"""How long kvmrender takes beside other ways to write the same domain XML; see README.md here."""
