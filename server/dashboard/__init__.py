"""The supervisor's pages: server-rendered, whole without JavaScript, in Chinese and English.

A page reads through `server.store` (mostly `reports`), changes things through a step, and answers HTML. Pages that
belong to a project stand under /projects/<id> and are 404 to whoever does not belong to it.
"""
