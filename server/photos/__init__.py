"""Pictures: what kind of file it is, what the camera wrote beside it, a small copy for the screen.

This room knows nothing of plots, crews or the store. It takes files and gives values; whether a photo was
taken at the right plot at the right hour is a rule's question (`server.validation`). No other room imports
PIL, exifread or pi_heif.
"""
