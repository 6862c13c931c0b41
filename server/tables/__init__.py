"""Spreadsheets and database files, in and out. Knows no store: it is handed rows and writes files."""
