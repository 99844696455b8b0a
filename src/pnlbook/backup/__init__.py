"""Backup: snapshot → pack → container → vaults → verify → record, and the way back.

The formats are specified in `docs/backup-format.md`.
"""
