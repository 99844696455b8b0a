"""What the reports share: figures read from a book, drawn, formatted and exported."""
