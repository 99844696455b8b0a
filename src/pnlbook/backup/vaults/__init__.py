"""Vaults keep the encrypted objects of backups: an object's name is the SHA-256 of its bytes."""
