"""How data travels, as decisions and words. Opens no socket and no file, and knows no server.

`intake` decides what becomes of an arriving instance, `openrosa` writes the XML that ODK Collect expects,
`settings_qr` the code that sets up a phone.
"""
